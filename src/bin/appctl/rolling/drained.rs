//! Requests that were waited for, and cut, while instances were replaced, as their shims noted in the journal: the units
//! themselves have forgotten it by the time they are up again. A shim does not end before the journal has it. What an app
//! writes there counts for nothing, since the kernel says who has written what.

use std::time::Duration;

use appctl::contract::Note;
use appctl::host::journal::Query;
use appctl::observe::journal::Noted;
use appctl::rollout::About;

/// A journal that does not answer is no reason to hold up the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of the requests in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Drained {
    pub(super) waited_for: u64,
    pub(super) cut: u64,
}

impl super::work::Work {
    /// All of them since the rollout began; `None` when the journal does not tell, or nobody counts.
    pub(super) async fn drained_since(&self, about: &About) -> Option<Drained> {
        let query = Query {
            since: Some(moment(&about.started)?),
            notes_of: about.shims.clone(),
            ..Query::default()
        };
        match about.shims.is_empty() {
            _ if !self.counted => None,
            true => Some(Drained::default()),
            false => tokio::time::timeout(PATIENCE, count(query)).await.ok().flatten(),
        }
    }
}

/// As journalctl(1) takes a time of any zone.
fn moment(started: &str) -> Option<String> {
    let started: jiff::Timestamp = started.parse().ok()?;
    Some(format!("@{}.{:03}", started.as_second(), started.subsec_millisecond()))
}

async fn count(query: Query) -> Option<Drained> {
    let mut journal = query.open().ok()?;
    let mut sum = Drained::default();
    while let Some(fields) = journal.next().await.ok()? {
        if let Some(noted) = Noted::of(&fields).filter(|noted| query.notes_of.get(&noted.run) == Some(&noted.pid)) {
            sum.add(&noted.note);
        }
    }
    Some(sum)
}

impl Drained {
    fn add(&mut self, note: &Note) {
        match note {
            Note::WaitedFor { requests } => self.waited_for += u64::from(*requests),
            Note::Cut { requests } => self.cut += u64::from(*requests),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use appctl::contract::Note;

    use super::{Drained, moment};

    #[test]
    fn notes_of_requests_add_up_and_others_do_not() {
        let mut sum = Drained::default();
        for note in [
            Note::Cut { requests: 3 },
            Note::WaitedFor { requests: 12 },
            Note::WaitedFor { requests: 5 },
            Note::DrainDeadline { in_flight: 7 },
        ] {
            sum.add(&note);
        }
        assert_eq!(sum, Drained { waited_for: 17, cut: 3 });
    }

    #[test]
    fn what_an_earlier_rollout_has_told_in_the_same_second_is_not_counted() {
        assert_eq!(moment("2026-11-23T04:00:00.25Z").as_deref(), Some("@1795406400.250"));
    }
}
