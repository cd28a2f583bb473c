//! Why an instance is not up, in the words of systemd, of its shim and of the app itself.

use std::time::Duration;

use appctl::host::bus::{InstanceState, JobResult};
use appctl::host::journal::Query;
use appctl::observe::journal::{Entry, harmless};
use appctl::observe::{ShimState, ShimStatus};

/// How much of what an app said last is shown.
const LAST_LINES: u32 = 20;
/// A journal that does not answer is no reason to hold up the way back.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why an instance is not up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reason {
    /// A fragment.
    pub(crate) why: String,
    /// What the app said last, oldest first.
    pub(crate) said: Vec<String>,
}

impl Reason {
    /// The reason for a state, with what the unit said, since `since` in seconds since 1970 if given.
    pub(crate) async fn of(state: &InstanceState, result: &JobResult, since: Option<i64>) -> Self {
        let read = last_lines(&state.unit, since);
        let said = tokio::time::timeout(PATIENCE, read).await.unwrap_or_default();
        let why = why(state, result);
        Self { why, said }
    }
}

/// Why an instance is not up: what its shim says, else how its main process ended, else how the job did.
fn why(state: &InstanceState, result: &JobResult) -> String {
    let shim: Option<ShimStatus> = state.status_text.parse().ok();
    if let Some(remark) = shim
        .filter(|shim| shim.state != ShimState::Ready)
        .and_then(|shim| shim.remark)
    {
        return harmless(&remark, false);
    }
    match (state.result.as_str(), state.exit_code) {
        ("timeout", _) => "it was not ready in time".to_owned(),
        ("oom-kill", _) => "the kernel killed it for its memory".to_owned(),
        (_, 1) if state.exit_status != 0 => format!("it ended with exit status {}", state.exit_status),
        (_, 1) => "it ended by itself".to_owned(),
        (_, 2 | 3) => format!("signal {} killed it", state.exit_status),
        _ if state.activity.is_up() => "it was restarted by someone else".to_owned(),
        _ if result.is_done() => format!("it is {}", state.sub),
        _ => result.to_string(),
    }
}

async fn last_lines(unit: &str, since: Option<i64>) -> Vec<String> {
    let query = Query {
        units: vec![unit.to_owned()],
        lines: Some(LAST_LINES),
        since: since.map(|since| format!("@{since}")),
        ..Query::default()
    };
    let Ok(mut journal) = query.open() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    while let Ok(Some(line)) = journal.next().await {
        lines.extend(Entry::parse(&line).map(|entry| harmless(&entry.message, false)));
    }
    lines
}
