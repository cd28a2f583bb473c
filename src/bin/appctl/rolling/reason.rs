//! Why an instance is not up, in the words of systemd, of its shim and of the app itself.

use std::collections::VecDeque;
use std::time::Duration;

use appctl::host::bus::{InstanceState, JobResult};
use appctl::host::journal::{self, Query};
use appctl::observe::journal::{Entry, without_colours};
use appctl::observe::{ShimState, ShimStatus};
use jiff::Timestamp;

/// How much of what an app said last is shown.
const LAST_LINES: usize = 20;
/// A journal that does not answer is no reason to hold up the way back.
const PATIENCE: Duration = Duration::from_secs(3);
/// Nor is one that takes its time with what it has not written yet.
const SYNC: Duration = Duration::from_secs(1);

/// Why an instance is not up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reason {
    /// A fragment.
    pub(crate) why: String,
    /// What the app said last, oldest first.
    pub(crate) said: Vec<String>,
}

impl Reason {
    /// What the shim writes begins like this.
    pub(crate) const SHIM: &str = "appctl: ";

    /// The reason for a state, with what the unit said, since `since` if given.
    pub(crate) async fn of(state: &InstanceState, result: &JobResult, since: Option<Timestamp>) -> Self {
        let read = last_lines(&state.unit, since);
        let said = tokio::time::timeout(PATIENCE, read).await.unwrap_or_default();
        let why = why(state, result).or_else(|| shim_said(&said));
        let why = why.unwrap_or_else(|| otherwise(state, result));
        Self { why, said }
    }
}

/// What its shim says, or how its main process ended. Both are gone once systemd has started it again.
fn why(state: &InstanceState, result: &JobResult) -> Option<String> {
    let shim: Option<ShimStatus> = state.status_text.parse().ok();
    if let Some(remark) = shim
        .filter(|shim| shim.state != ShimState::Ready)
        .and_then(|shim| shim.remark)
    {
        return Some(remark);
    }
    match (state.result.as_str(), state.exit_code) {
        ("timeout", _) => Some("it was not ready in time".to_owned()),
        ("oom-kill", _) => Some("the kernel killed it for its memory".to_owned()),
        (_, 1) if state.exit_status != 0 => Some(format!("it ended with exit status {}", state.exit_status)),
        (_, 2 | 3) => Some(format!("signal {} killed it", state.exit_status)),
        (_, 1) if result.is_done() => Some("it ended by itself".to_owned()),
        _ => None,
    }
}

/// The shim notes in the journal, too, how the app ended.
fn shim_said(said: &[String]) -> Option<String> {
    let mut notes = said.iter().filter_map(|line| line.strip_prefix(Reason::SHIM));
    let explains = |note: &&str| {
        ![" crashes in a row", " requests were "]
            .iter()
            .any(|other| note.contains(other))
    };
    notes.rfind(explains).map(str::to_owned)
}

fn otherwise(state: &InstanceState, result: &JobResult) -> String {
    match result {
        JobResult::Done if state.activity.is_up() => "it was restarted by someone else".to_owned(),
        JobResult::Done => format!("it is {}", state.sub),
        other => other.to_string(),
    }
}

async fn last_lines(unit: &str, since: Option<Timestamp>) -> Vec<String> {
    // A shim sees to it that the journal has everything before the end, unless it was killed itself.
    let _ = tokio::time::timeout(SYNC, journal::sync()).await;
    let query = Query {
        units: vec![unit.to_owned()],
        since: since.map(|since| format!("@{}.{:03}", since.as_second(), since.subsec_millisecond())),
        ..Query::default()
    };
    let Ok(mut journal) = query.open() else {
        return Vec::new();
    };
    // Not --lines: together with --since journalctl of 252 takes the first ones.
    let mut lines = VecDeque::new();
    while let Ok(Some(line)) = journal.next().await {
        lines.extend(Entry::parse(&line).map(|entry| without_colours(&entry.message)));
        if lines.len() > LAST_LINES {
            lines.pop_front();
        }
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    use super::shim_said;

    #[test]
    fn the_shim_explains_better_than_systemd() {
        let lines = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let said = lines(&[
            "Error: x",
            "appctl: exited with status 1",
            "appctl: 2 crashes in a row: next start in 0 s",
            "appctl: 12 requests were waited for",
        ]);
        assert_eq!(shim_said(&said).as_deref(), Some("exited with status 1"));
        assert_eq!(shim_said(&lines(&["Error: x"])), None);
    }
}
