//! How `appctl` ends: its exit codes, and what each says about an operation.

use std::borrow::Cow;

use super::exit_status::signal_of_status;

/// Done, or there was nothing to do.
pub const DONE: u8 = 0;
/// Failed for a reason that has no code of its own.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// A configuration file, or what `install` would write into one, is invalid.
pub const INVALID_CONFIG: u8 = 3;
/// An app did not come up; the old state was kept or put back.
pub const ROLLOUT_FAILED: u8 = 4;
/// No such app, or no such release.
pub const NOT_FOUND: u8 = 5;
/// Only root, or another account, may do this.
pub const NOT_PERMITTED: u8 = 6;
/// Another operation on the app holds its lock.
pub const BUSY: u8 = 7;
/// Done, but requests were cut because they took longer than an instance may take to stop.
pub const CUT: u8 = 8;
/// `appctl` has a fault: what a Rust program that panics ends with.
pub const PANICKED: u8 = 101;

/// The status that a shell has for a process that a signal ended.
pub fn of_signal(number: u8) -> u8 {
    number.saturating_add(128)
}

/// Whether the operation did what it was asked for.
pub fn is_success(status: u8) -> bool {
    matches!(status, DONE | CUT)
}

/// The outcome of an operation that ended with `status`, for people.
pub fn words(status: u8) -> Cow<'static, str> {
    Cow::Borrowed(match status {
        DONE => "done",
        FAILED => "failed",
        USAGE => "refused: the command line is wrong",
        INVALID_CONFIG => "refused: the configuration is invalid",
        ROLLOUT_FAILED => "the app did not come up; the old state was kept or put back",
        NOT_FOUND => "refused: no such app or release",
        NOT_PERMITTED => "refused: not permitted",
        BUSY => "refused: another operation holds the app's lock",
        CUT => "done, but requests were cut",
        PANICKED => "appctl panicked",
        other => {
            return match signal_of_status(other.into()) {
                Some(signal) => format!("ended by signal {signal}").into(),
                None => format!("ended with exit status {other}").into(),
            };
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{BUSY, CUT, DONE, FAILED, is_success, of_signal, words};

    #[test]
    fn every_status_has_words_of_its_own() {
        let all: BTreeSet<_> = (0..=u8::MAX).map(words).collect();
        assert_eq!(all.len(), 256);
        assert_eq!(words(of_signal(2)), "ended by signal 2");
    }

    #[test]
    fn cut_requests_are_no_failure() {
        assert!(is_success(DONE) && is_success(CUT));
        assert!(![FAILED, BUSY, of_signal(15)].into_iter().any(is_success));
    }
}
