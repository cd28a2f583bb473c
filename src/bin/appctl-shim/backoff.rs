//! How long to wait before the next start, and what one shim must tell the next about the crashes so far. Pure.
//!
//! Back-off is ours because `RestartSteps=` of systemd.service(5) is younger than the systemd of Debian 12.

use std::fmt::Write as _;

use appctl::contract::Millis;
use appctl::contract::shim_args::Backoff;

/// The first restart is immediate; then `delay`, doubling up to `longest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) delay: Millis,
    pub(crate) longest: Millis,
    /// Crashes are forgotten once the app was ready for this long.
    pub(crate) reset_after: Millis,
}

/// What outlives a shim, in the file descriptor store of systemd. Times are since boot: they outlive it too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Crashes in a row.
    pub(crate) crashes: u32,
    /// An app was running when this was written.
    pub(crate) running: bool,
    /// Since when the app was ready.
    pub(crate) ready_at: Option<Millis>,
    /// The port that it listened on, and its socket did not.
    pub(crate) elsewhere: Option<u16>,
    /// The signal that ended the last crash.
    pub(crate) signal: Option<i32>,
    /// How the last crash went, for people.
    pub(crate) reason: String,
}

impl From<Backoff> for Policy {
    fn from(backoff: Backoff) -> Self {
        let Backoff {
            delay,
            longest,
            reset_after,
        } = backoff;
        Self {
            delay,
            longest,
            reset_after,
        }
    }
}

impl Policy {
    /// The wait before a start after `crashes` crashes in a row.
    pub(crate) fn wait(&self, crashes: u32) -> Millis {
        match crashes.checked_sub(2) {
            None => 0,
            Some(doublings) => {
                let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
                self.delay.saturating_mul(factor).min(self.longest)
            }
        }
    }

    /// The record a new shim goes on with: one that still says "running" was left by a shim that was killed.
    pub(crate) fn woken(&self, record: Record, now: Millis) -> Record {
        if record.running {
            self.crashed(&record, "the shim was killed", now)
        } else {
            record
        }
    }

    /// One crash more, or the first after a stable time.
    pub(crate) fn crashed(&self, record: &Record, reason: &str, now: Millis) -> Record {
        let stable = record
            .ready_at
            .is_some_and(|since| now.saturating_sub(since) >= self.reset_after);
        Record {
            crashes: if stable { 1 } else { record.crashes.saturating_add(1) },
            running: false,
            ready_at: None,
            elsewhere: None,
            signal: None,
            reason: reason.to_owned(),
        }
    }
}

impl Record {
    /// Size of the written form: always the same, so that one write replaces all of it.
    pub(crate) const SIZE: usize = 384;
    const LONGEST_REASON: usize = 300;

    /// `crashes running ready_at:elsewhere:signal reason`, padded with newlines; what is not known is left out.
    pub(crate) fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut text = String::with_capacity(Self::SIZE);
        let ready_at = self.ready_at.unwrap_or(0);
        let shown = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        let (port, signal) = (shown(self.elsewhere.map(i32::from)), shown(self.signal));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{} {} {ready_at}:{port}:{signal}",
            self.crashes,
            u8::from(self.running)
        );
        text.push(' ');
        text.extend(
            self.reason
                .chars()
                .map(|c| if c == '\n' { ' ' } else { c })
                .take(Self::LONGEST_REASON),
        );
        let mut bytes = [b'\n'; Self::SIZE];
        let length = text.floor_char_boundary(Self::SIZE);
        bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        bytes
    }

    /// What an earlier shim wrote; anything else is no record.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?.trim_end_matches('\n');
        let mut parts = text.splitn(4, ' ');
        let crashes = parts.next()?.parse().ok()?;
        let running = parts.next()? == "1";
        let mut known = parts.next()?.split(':');
        let ready_at = known.next()?.parse().ok().filter(|since| *since > 0);
        let elsewhere = known.next().and_then(|port| port.parse().ok());
        let signal = known.next().and_then(|signal| signal.parse().ok());
        let reason = parts.next()?.to_owned();
        Some(Self {
            crashes,
            running,
            ready_at,
            elsewhere,
            signal,
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Policy, Record};

    const POLICY: Policy = Policy {
        delay: 100,
        longest: 30_000,
        reset_after: 10_000,
    };

    #[test]
    fn the_first_restart_is_immediate_then_the_wait_doubles() {
        let waits: Vec<_> = (0..13).map(|crashes| POLICY.wait(crashes)).collect();
        assert_eq!(
            waits,
            [
                0, 0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(POLICY.wait(u32::MAX), 30_000);
    }

    #[test]
    fn a_stable_time_forgets_what_was() {
        let record = |ready_at| Record {
            crashes: 7,
            running: true,
            ready_at,
            elsewhere: None,
            signal: None,
            reason: String::new(),
        };
        let crashes = |ready_at, now| POLICY.crashed(&record(ready_at), "x", now).crashes;
        assert_eq!(crashes(None, 1_000_000), 8);
        assert_eq!(crashes(Some(5_000), 14_999), 8);
        assert_eq!(crashes(Some(5_000), 15_000), 1);
    }

    #[test]
    fn a_shim_that_was_killed_left_its_running_mark_and_that_is_a_crash() {
        let left = Record {
            crashes: 2,
            running: true,
            ready_at: None,
            elsewhere: None,
            signal: None,
            reason: "x".to_owned(),
        };
        let woken = POLICY.woken(left, 9);
        assert_eq!(
            (woken.crashes, woken.running, woken.reason.as_str()),
            (3, false, "the shim was killed")
        );
        let clean = Record {
            crashes: 2,
            ..Record::default()
        };
        assert_eq!(POLICY.woken(clean.clone(), 9), clean);
    }

    #[test]
    fn what_nobody_wrote_is_no_record() {
        for bytes in [&b""[..], b"\n\n\n", b"x 1 2 y", b"1 1", b"\xff\xff"] {
            assert_eq!(Record::from_bytes(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn a_record_is_read_back(
            crashes: u32,
            running: bool,
            ready_at in proptest::option::of(1_u64..),
            elsewhere: Option<u16>,
            signal: Option<i32>,
            reason in "[^\n]{0,60}"
        ) {
            let record = Record { crashes, running, ready_at, elsewhere, signal, reason };
            prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Some(record));
        }

        #[test]
        fn no_reason_is_too_long(reason in "\\PC{0,600}") {
            let record = Record { reason, ..Record::default() };
            prop_assert!(Record::from_bytes(&record.to_bytes()).is_some());
        }

        #[test]
        fn waits_never_shrink_nor_pass_the_longest(crashes in 0_u32..200) {
            prop_assert!(POLICY.wait(crashes) <= POLICY.wait(crashes + 1));
            prop_assert!(POLICY.wait(crashes) <= POLICY.longest);
        }
    }
}
