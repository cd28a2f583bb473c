//! Requests that were waited for, and cut, while instances were replaced, as their shims told the journal: the units
//! themselves have forgotten it by the time they are up again. A shim does not end before the journal has it.

use std::time::Duration;

use appctl::host::journal::Query;
use appctl::observe::journal::Entry;
use appctl::rollout::Record;
use appctl::spec::Instance;

use super::Reason;
use crate::units;

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
    pub(super) async fn drained_since(&self, record: &Record) -> Option<Drained> {
        let instances = record.instances.iter().filter_map(|entry| entry.instance.parse().ok());
        let who = instances.chain([Instance::Surge]);
        let query = Query {
            units: who.map(|instance| units::instance(&self.app, instance)).collect(),
            since: Some(moment(&record.started)?),
            ..Query::default()
        };
        if !self.counted {
            return None;
        }
        tokio::time::timeout(PATIENCE, count(query)).await.ok().flatten()
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
    while let Some(line) = journal.next().await.ok()? {
        if let Some(entry) = Entry::parse(&line) {
            sum.note(&entry.message);
        }
    }
    Some(sum)
}

impl Drained {
    /// Only a shim's lines count.
    fn note(&mut self, message: &str) {
        let number = |tail| {
            message
                .strip_prefix(Reason::SHIM)?
                .strip_suffix(tail)?
                .parse::<u64>()
                .ok()
        };
        self.waited_for += number(" requests were waited for").unwrap_or(0);
        self.cut += number(" requests were cut").unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Drained, moment};

    #[test]
    fn only_a_shim_tells_what_became_of_requests() {
        let mut sum = Drained::default();
        for line in [
            "appctl: 3 requests were cut",
            "appctl: 12 requests were waited for",
            "appctl: 5 requests were waited for",
            "7 requests were cut",
            "appctl: -7 requests were cut",
            "appctl: exited with status 1",
        ] {
            sum.note(line);
        }
        assert_eq!(sum, Drained { waited_for: 17, cut: 3 });
    }

    #[test]
    fn what_an_earlier_rollout_has_told_in_the_same_second_is_not_counted() {
        assert_eq!(moment("2026-11-23T04:00:00.25Z").as_deref(), Some("@1795406400.250"));
    }
}
