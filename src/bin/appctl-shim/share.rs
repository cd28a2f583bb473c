//! The share of the processors that a rollout gives an instance while it begins, sched(7): whoever gave it may have been
//! killed before taking it back.

use std::fs;
use std::io::ErrorKind;

use crate::machine::Millis;

const FILE: &str = "/proc/self/autogroup";
/// The kernel lets all without privileges together do this once within a tenth of a second, and not even that while root
/// does it: every write begins the tenth anew. Other apps may be rolled for minutes.
const FIRST_PAUSE: Millis = 20;
const LONGEST_PAUSE: Millis = 1_000;

/// What is left to do about the share.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    /// When to try again, and the pause before that.
    next: Option<(Millis, Millis)>,
}

impl Share {
    /// Back to the usual share of the app's and our session, as soon as the kernel allows it, unless the rollout does that
    /// itself meanwhile.
    pub(crate) fn settle(&mut self, now: Millis) {
        self.attempt(now, FIRST_PAUSE);
    }

    /// When to go on.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.next.map(|(at, _)| at)
    }

    /// Goes on, if it is time.
    pub(crate) fn go_on(&mut self, now: Millis) {
        if let Some((_, pause)) = self.next.filter(|(at, _)| *at <= now) {
            self.attempt(now, (2 * pause).min(LONGEST_PAUSE));
        }
    }

    fn attempt(&mut self, now: Millis, pause: Millis) {
        let refused = || fs::write(FILE, "0").is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        self.next = (is_raised() && refused()).then_some((now.saturating_add(pause), pause));
    }
}

/// A smaller share is somebody's wish.
fn is_raised() -> bool {
    fs::read_to_string(FILE).is_ok_and(|text| text.contains(" nice -"))
}
