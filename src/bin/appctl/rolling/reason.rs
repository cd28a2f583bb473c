//! Why an instance is not up, in the words of systemd, of its shim and of the app itself.

use std::time::Duration;

use appctl::contract::exit_status::signal_of_status;
use appctl::host::bus::{InstanceState, JobResult, Systemd};
use appctl::host::journal::{self, Query};
use appctl::observe::journal::Entry;
use appctl::observe::{ShimState, ShimStatus};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::contained::End;

/// How much of what an app said last is shown.
const LAST_LINES: u32 = 20;
/// And of each line, in bytes.
pub(crate) const LINE: usize = 2_000;
/// A journal that does not answer is no reason to hold up the way back.
const PATIENCE: Duration = Duration::from_secs(15);
/// Nor is one that takes its time with what it has not written yet, but without that nothing may be left to show.
const SYNC: Duration = Duration::from_secs(10);

/// How long a shim may take to its first word.
const SPEECH: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// Why an instance is not up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reason {
    /// A fragment.
    pub(crate) why: String,
    /// The signal that ended it, as systemd or its shim knows.
    pub(crate) signal: Option<i32>,
    /// What was said last, oldest first.
    pub(crate) said: Vec<Said>,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The text, without effect on a terminal.
    pub(crate) text: String,
    /// Whether it looks like a note of the shim.
    pub(crate) is_note: bool,
}

impl Reason {
    /// The reason for a state, with what the unit said, since `since` if given.
    pub(crate) async fn of(
        systemd: &Systemd,
        state: &InstanceState,
        result: &JobResult,
        since: Option<Timestamp>,
    ) -> Self {
        let read = last_lines(&state.unit, since);
        let said = tokio::time::timeout(PATIENCE, read).await.unwrap_or_default();
        let told = told(systemd, state).await;
        let signal = killed_by(state).or(told.as_ref().and_then(|shim| shim.signal));
        let why = told.and_then(|shim| shim.remark).or_else(|| ended(state, result));
        let why = why.unwrap_or_else(|| otherwise(state, result));
        Self { why, signal, said }
    }

    /// What the app itself left behind.
    pub(crate) fn end(&self) -> End {
        let own = self.said.iter().filter(|line| !line.is_note);
        End {
            signal: self.signal,
            said: own.map(|line| line.text.clone()).collect(),
        }
    }

    /// All that was said, as text.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.said.iter().map(|line| line.text.clone()).collect()
    }
}

/// What its shim tells systemd, which hears nobody else: why it failed, or how the run before it went. systemd may have
/// just begun another run, whose shim has said nothing yet.
async fn told(systemd: &Systemd, state: &InstanceState) -> Option<ShimStatus> {
    let end = Instant::now() + SPEECH;
    let mut text = state.status_text.clone();
    while text.is_empty() && Instant::now() < end {
        let now = systemd.instance(&state.unit).await.ok()?;
        if now.activity.is_down() {
            return None;
        }
        text = now.status_text;
        tokio::time::sleep(LOOK).await;
    }
    let shim: ShimStatus = text.parse().ok()?;
    let failed = shim.state != ShimState::Ready || shim.crashes > 0;
    Some(shim).filter(|_| failed)
}

/// The signal that ended the main process of a unit that is down, or what its shell ran.
pub(crate) fn killed_by(state: &InstanceState) -> Option<i32> {
    match state.exit_code {
        1 => signal_of_status(state.exit_status),
        2 | 3 => Some(state.exit_status),
        _ => None,
    }
}

/// How its main process ended. It is gone once systemd has started it again.
fn ended(state: &InstanceState, result: &JobResult) -> Option<String> {
    match (state.result.as_str(), state.exit_code) {
        ("timeout", _) => Some("it was not ready in time".to_owned()),
        ("oom-kill", _) => Some("the kernel killed it for its memory".to_owned()),
        (_, 1) if state.exit_status != 0 => Some(format!("it ended with exit status {}", state.exit_status)),
        (_, 2 | 3) => Some(format!("signal {} killed it", state.exit_status)),
        (_, 1) if result.is_done() => Some("it ended by itself".to_owned()),
        _ => None,
    }
}

fn otherwise(state: &InstanceState, result: &JobResult) -> String {
    match result {
        JobResult::Done if state.activity.is_up() => "it was restarted by someone else".to_owned(),
        JobResult::Done => format!("it is {}", state.sub),
        other => other.to_string(),
    }
}

async fn last_lines(unit: &str, since: Option<Timestamp>) -> Vec<Said> {
    // A shim sees to it that the journal has everything before the end, unless it was killed itself.
    let _ = tokio::time::timeout(SYNC, journal::sync()).await;
    let query = Query {
        units: vec![unit.to_owned()],
        since: since.map(|since| format!("@{}.{:03}", since.as_second(), since.subsec_millisecond())),
        newest: Some(LAST_LINES),
        ..Query::default()
    };
    let Ok(mut journal) = query.open() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    while let Ok(Some(fields)) = journal.next().await {
        lines.extend(Entry::of(&fields).map(|entry| Said {
            text: entry.message.shown(LINE),
            is_note: entry.is_note,
        }));
    }
    lines.reverse();
    lines
}
