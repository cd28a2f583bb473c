//! Starting and stopping units and waiting for what becomes of them, with what the app itself said about a failure.

use std::time::Duration;

use appctl::host::bus::{JobResult, Systemd};
use appctl::spec::AppSpec;
use futures_util::future::join_all;

use crate::exit::{Exit, ExpectedError};
use crate::rolling::Reason;

/// What systemd may take beyond the app's own times.
pub(crate) const MARGIN: Duration = Duration::from_secs(20);
/// For an app whose own stop time can no longer be read.
pub(crate) const LONG_STOP: Duration = Duration::from_mins(10);

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
    let Reason { why, said } = Reason::of(&state, result, None).await;
    let mut message = format!("{unit} did not become ready: {why}");
    if !said.is_empty() {
        message.push_str("; the last it said:");
        for line in said {
            message.push_str("\n    | ");
            message.push_str(&line);
        }
    }
    let error = ExpectedError::new(Exit::ROLLOUT_FAILED, message);
    Ok(match port_asked_for(&why) {
        Some(port) => error.help(format!(
            "the socket does not hold port {port}; take it with --listen {port}"
        )),
        None => error.help(format!("all it said: journalctl -u {unit}")),
    })
}

/// The port in a remark of the shim's about an app that listens somewhere else.
fn port_asked_for(remark: &str) -> Option<u16> {
    let (_, after) = remark.split_once("listens on port ")?;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().ok()
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
