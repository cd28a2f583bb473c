//! Starting and stopping units and waiting for what becomes of them, with what the app itself said about a failure.

use std::time::Duration;

use appctl::host::bus::{InstanceState, JobResult, Systemd};
use appctl::host::journal::Query;
use appctl::observe::ShimStatus;
use appctl::observe::journal::{Entry, harmless};
use appctl::spec::AppSpec;
use futures_util::future::join_all;

use crate::exit::{Exit, ExpectedError};

/// What systemd may take beyond the app's own times.
const MARGIN: Duration = Duration::from_secs(20);
/// For an app whose own stop time can no longer be read.
pub(crate) const LONG_STOP: Duration = Duration::from_mins(10);
/// How much of what an app said last is shown.
const LAST_LINES: u32 = 15;

/// Starts units all at once and waits until each is ready and stays so for the settle time. The first that does not is
/// an error that shows why; the others are left as they are, for the caller to undo.
pub(crate) async fn start(systemd: &Systemd, spec: &AppSpec, units: &[String]) -> anyhow::Result<()> {
    let deadline = spec.ready.timeout + MARGIN;
    let results = join_all(units.iter().map(|unit| systemd.start(unit, deadline))).await;
    for (unit, result) in units.iter().zip(results) {
        let result = result?;
        if !result.is_done() {
            return Err(failure(systemd, unit, &result).await?.into());
        }
    }
    settle(systemd, spec, units).await
}

/// Replaces one instance and waits until the new one is ready and stays so.
pub(crate) async fn restart(systemd: &Systemd, spec: &AppSpec, unit: &str) -> anyhow::Result<()> {
    let deadline = spec.stop.timeout + spec.ready.timeout + MARGIN;
    let result = systemd.restart(unit, deadline).await?;
    if !result.is_done() {
        return Err(failure(systemd, unit, &result).await?.into());
    }
    settle(systemd, spec, &[unit.to_owned()]).await
}

/// Stops units all at once and waits until each is gone.
pub(crate) async fn stop(systemd: &Systemd, timeout: Duration, units: &[String]) -> anyhow::Result<()> {
    let deadline = timeout + MARGIN;
    let results = join_all(units.iter().map(|unit| systemd.stop(unit, deadline))).await;
    for (unit, result) in units.iter().zip(results) {
        match result? {
            JobResult::Done => {}
            other => return Err(ExpectedError::new(Exit::FAILED, format!("{unit} did not stop: {other}")).into()),
        }
    }
    Ok(())
}

/// An app may announce itself and die a moment later.
async fn settle(systemd: &Systemd, spec: &AppSpec, units: &[String]) -> anyhow::Result<()> {
    let before = systemd.instances(units).await?;
    tokio::time::sleep(spec.ready.settle).await;
    let after = systemd.instances(units).await?;
    for (before, after) in before.iter().zip(&after) {
        if !after.activity.is_up() || after.invocation != before.invocation {
            return Err(failure(systemd, &after.unit, &JobResult::Failed).await?.into());
        }
    }
    Ok(())
}

async fn failure(systemd: &Systemd, unit: &str, result: &JobResult) -> anyhow::Result<ExpectedError> {
    let state = systemd.instance(unit).await?;
    let shim: Option<ShimStatus> = state.status_text.parse().ok();
    let remark = shim.and_then(|shim| shim.remark).map(|remark| harmless(&remark, false));
    let why = remark.clone().unwrap_or_else(|| ended(&state, result));
    let said = last_lines(unit).await;
    let mut message = format!("{unit} did not become ready: {why}");
    if !said.is_empty() {
        message.push_str("; the last it said:");
        for line in said {
            message.push_str("\n    | ");
            message.push_str(&line);
        }
    }
    let error = ExpectedError::new(Exit::ROLLOUT_FAILED, message);
    Ok(match remark.as_deref().and_then(port_asked_for) {
        Some(port) => error.help(format!(
            "the socket does not hold port {port}; take it with --listen {port}"
        )),
        None => error.help(format!("all it said: journalctl -u {unit}")),
    })
}

fn ended(state: &InstanceState, result: &JobResult) -> String {
    match (state.result.as_str(), state.exit_code) {
        ("timeout", _) => "it was not ready in time".to_owned(),
        ("oom-kill", _) => "the kernel killed it for its memory".to_owned(),
        (_, 1) if state.exit_status != 0 => format!("it ended with exit status {}", state.exit_status),
        (_, 2 | 3) => format!("it was killed by signal {}", state.exit_status),
        _ => result.to_string(),
    }
}

/// The port in a remark of the shim's about an app that listens somewhere else.
fn port_asked_for(remark: &str) -> Option<u16> {
    let (_, after) = remark.split_once("listens on port ")?;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().ok()
}

/// What the app printed last. A journal that cannot be read is no reason to hide the failure itself.
async fn last_lines(unit: &str) -> Vec<String> {
    let query = Query {
        units: vec![unit.to_owned()],
        lines: Some(LAST_LINES),
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

#[cfg(test)]
mod tests {
    use super::port_asked_for;

    #[test]
    fn finds_the_port_an_app_asked_for() {
        assert_eq!(
            port_asked_for("the app listens on port 4000, which its socket does not hold"),
            Some(4000)
        );
        assert_eq!(port_asked_for("exit status 3"), None);
    }
}
