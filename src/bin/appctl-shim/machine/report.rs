//! When systemd is told what an instance answered: errors soon, since a new release may be watched, and the rest now and
//! then, since every word wakes PID 1 and all that listen to it. Pure.

use appctl::contract::Responses;

use super::event::Millis;

/// A little less than the beats are apart.
const SOON: Millis = 900;
const LATER: Millis = 4_900;

/// What was told, and when.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Report {
    told: Option<Responses>,
    at: Millis,
}

impl Report {
    /// Whether what was counted is to be told now; it counts as told then.
    pub(super) fn takes(&mut self, counted: Option<Responses>, now: Millis) -> bool {
        let due = counted.is_some_and(|counted| self.is_due(counted, now));
        if due {
            *self = Self { told: counted, at: now };
        }
        due
    }

    fn is_due(self, counted: Responses, now: Millis) -> bool {
        let age = now.saturating_sub(self.at);
        match self.told {
            None => true,
            Some(told) if told.errors != counted.errors => age >= SOON,
            Some(told) => told != counted && age >= LATER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, Responses};

    #[test]
    fn errors_are_told_at_the_next_beat_and_the_rest_later() {
        let of = |errors, all| Responses { all, errors };
        assert!(Report::default().is_due(of(0, 0), 5), "that it counts is news");
        let told = Report {
            told: Some(of(1, 10)),
            at: 10_000,
        };
        assert!(!told.is_due(of(1, 10), 100_000), "nothing new");
        assert!(!told.is_due(of(1, 99), 14_800));
        assert!(told.is_due(of(1, 99), 15_000));
        assert!(!told.is_due(of(2, 99), 10_800), "several processes beat");
        assert!(told.is_due(of(2, 99), 11_000));
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let counted = Some(Responses { all: 3, errors: 0 });
        let mut report = Report::default();
        assert!(!report.takes(None, 1));
        assert!(report.takes(counted, 2));
        assert!(!report.takes(counted, 90_000));
    }
}
