//! When systemd is told what an instance answered: errors soon, since someone may watch a new release, and the rest now
//! and then, since every word wakes PID 1 and whoever listens to it. Pure.

use appctl::observe::{Responses, ShimState};

use super::{Action, Machine, Millis};

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
    fn is_due(self, counted: Responses, now: Millis) -> bool {
        let age = now.saturating_sub(self.at);
        match self.told {
            None => true,
            Some(told) if told.errors != counted.errors => age >= SOON,
            Some(told) => told != counted && age >= LATER,
        }
    }
}

impl Machine {
    /// `STATUS=` with what was answered, when that is news.
    pub(super) fn tell_responses(&mut self, now: Millis, out: &mut Vec<Action>) {
        let Some(counted) = self
            .peers
            .responses()
            .filter(|counted| self.report.is_due(*counted, now))
        else {
            return;
        };
        self.report = Report {
            told: Some(counted),
            at: now,
        };
        out.push(Action::Status(self.status(ShimState::Ready)));
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
}
