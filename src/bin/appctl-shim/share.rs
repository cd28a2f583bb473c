//! The share of the processors that a rollout gives an instance while it begins, sched(7): whoever gave it may have been
//! killed before taking it back.

use std::fs;
use std::thread;
use std::time::Duration;

const FILE: &str = "/proc/self/autogroup";
/// The kernel lets everybody without privileges together do this ten times a second.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// Back to the usual share of the app's and our session, unless the rollout does that itself meanwhile.
pub(crate) fn settle() {
    for _ in 0..TRIES {
        if !is_raised() || fs::write(FILE, "0").is_ok() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

/// A smaller share is somebody's wish.
fn is_raised() -> bool {
    fs::read_to_string(FILE).is_ok_and(|text| text.contains(" nice -"))
}
