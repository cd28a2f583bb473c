//! Requests that were cut while instances were replaced, as their shims told the journal.

use std::time::Duration;

use appctl::host::journal::Query;
use appctl::observe::journal::Entry;
use appctl::rollout::Record;

use super::Reason;
use crate::units;

/// A journal that does not answer is no reason to hold up the end.
const PATIENCE: Duration = Duration::from_secs(3);

impl super::work::Work {
    /// How many, since the rollout began; `None` when the journal does not tell.
    pub(super) async fn cut_since(&self, record: &Record) -> Option<u64> {
        let instances = record.instances.iter().filter_map(|entry| entry.instance.parse().ok());
        let query = Query {
            units: instances.map(|instance| units::instance(&self.app, instance)).collect(),
            since: Some(seconds(&record.started)?),
            ..Query::default()
        };
        tokio::time::timeout(PATIENCE, count(query)).await.ok().flatten()
    }
}

/// As journalctl(1) takes a time of any zone.
fn seconds(started: &str) -> Option<String> {
    let started: jiff::Timestamp = started.parse().ok()?;
    Some(format!("@{}", started.as_second()))
}

async fn count(query: Query) -> Option<u64> {
    let mut journal = query.open().ok()?;
    let mut cut = 0;
    while let Some(line) = journal.next().await.ok()? {
        cut += Entry::parse(&line).and_then(|entry| told(&entry.message)).unwrap_or(0);
    }
    Some(cut)
}

fn told(message: &str) -> Option<u64> {
    let number = message.strip_prefix(Reason::SHIM)?.strip_suffix(" requests were cut")?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn only_a_shim_tells_of_cut_requests() {
        assert_eq!(told("appctl: 3 requests were cut"), Some(3));
        assert_eq!(told("3 requests were cut"), None);
        assert_eq!(told("appctl: exited with status 1"), None);
    }
}
