//! Why an instance is not up, asked of systemd, of its shim and of the journal.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::contract::{ShimState, ShimStatus};
use crate::drive::{JobResult, Reason, Said, because};
use crate::host::bus::Systemd;
use crate::host::journal::{self, Query};
use crate::observe::InstanceState;
use crate::observe::journal::Entry;

/// How much of what an app said last is shown.
const LAST_LINES: u32 = 20;
/// And of each line, in bytes.
const LINE: usize = 2_000;
/// A journal that does not answer is no reason to hold up the way back.
const PATIENCE: Duration = Duration::from_secs(15);
/// Nor is one that takes its time with what it has not written yet, but without that nothing may be left to show.
const SYNC: Duration = Duration::from_secs(10);

/// How long a shim may take to its first word.
const SPEECH: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// The reason for a state after a job with this result, with what the unit said, since `since` if given.
pub async fn why(systemd: &Systemd, state: &InstanceState, result: &JobResult, since: Option<Timestamp>) -> Reason {
    let read = last_lines(&state.unit, since);
    let said = tokio::time::timeout(PATIENCE, read).await.unwrap_or_default();
    let told = told(systemd, state).await;
    because(state, result, told, said)
}

/// What its shim tells systemd, which listens to no other process of the unit: why it failed, or how the run before it
/// went. systemd may have just begun another run, whose shim has said nothing yet.
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
