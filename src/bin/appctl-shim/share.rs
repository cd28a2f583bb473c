//! The share of the processors that a rollout gives an instance while it begins, sched(7): whoever gave it may have been
//! killed before taking it back.

use std::fs;
use std::io::ErrorKind;

use crate::machine::Millis;

/// Anyone may read it, but no process that keeps others out may write its own.
const OURS: &str = "/proc/self/autogroup";
/// The kernel lets all without privileges together do this once within a tenth of a second, and not even that while root
/// does it: every write begins the tenth anew. Other apps may be rolled for minutes.
const FIRST_PAUSE: Millis = 20;
const LONGEST_PAUSE: Millis = 1_000;

/// What is left to do about the share.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    next: Option<Attempt>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    /// The app's process: it and the shim are one session as long as the app has made none of its own, and then the shim's
    /// is nothing but an idle thread.
    app: u32,
    at: Millis,
    /// How long it was waited for.
    pause: Millis,
}

impl Share {
    /// Back to the usual share of the session that the app and the shim are in, as soon as the kernel allows it, unless the
    /// rollout does that itself meanwhile.
    pub(crate) fn settle(&mut self, app: u32, now: Millis) {
        self.attempt(app, now, FIRST_PAUSE);
    }

    /// When to go on.
    pub(crate) fn due(&self) -> Option<Millis> {
        self.next.map(|next| next.at)
    }

    /// Goes on, if it is time.
    pub(crate) fn go_on(&mut self, now: Millis) {
        if let Some(next) = self.next.filter(|next| next.at <= now) {
            self.attempt(next.app, now, (2 * next.pause).min(LONGEST_PAUSE));
        }
    }

    fn attempt(&mut self, app: u32, now: Millis, pause: Millis) {
        let at = now.saturating_add(pause);
        self.next = (is_raised() && is_refused(app)).then_some(Attempt { app, at, pause });
    }
}

/// Tries, and says whether the kernel wants it tried again.
fn is_refused(app: u32) -> bool {
    let written = fs::write(format!("/proc/{app}/autogroup"), "0");
    written.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// A smaller share is somebody's wish.
fn is_raised() -> bool {
    fs::read_to_string(OURS).is_ok_and(|text| text.contains(" nice -"))
}
