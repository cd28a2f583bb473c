//! Starting and stopping units and waiting for what becomes of them, with what the app itself said about a failure.

use std::time::Duration;

use appctl::host::bus::{BusError, JobResult, Systemd};
use appctl::host::journal::Query;
use appctl::observe::journal::Entry;
use appctl::spec::{AppName, AppSpec};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use crate::exit::{Exit, ExpectedError};
use crate::rolling::Reason;
use crate::units;

/// What systemd may take beyond the app's own times.
pub(crate) const MARGIN: Duration = Duration::from_secs(20);
/// For an app whose own stop time can no longer be read.
pub(crate) const LONG_STOP: Duration = Duration::from_mins(10);

/// Starts units all at once and waits until each is ready and stays so for the settle time. The first that does not is
/// an error that shows why; the others are left as they are, for the caller to undo.
pub(crate) async fn start(systemd: &Systemd, spec: &AppSpec, units: &[String]) -> anyhow::Result<()> {
    systemd.prove_all(units).await?;
    let deadline = spec.ready.timeout + MARGIN;
    let since = Timestamp::now();
    let mut starting: FuturesUnordered<_> = units
        .iter()
        .map(async |unit| (unit, systemd.start(unit, deadline).await))
        .collect();
    while let Some((unit, result)) = starting.next().await {
        let result = result?;
        if !result.is_done() {
            return Err(failure(systemd, unit, &result, since, units).await?.into());
        }
    }
    settle(systemd, spec, units, since).await
}

/// Stops units all at once and waits until each is gone.
pub(crate) async fn stop(systemd: &Systemd, timeout: Duration, units: &[String]) -> anyhow::Result<()> {
    systemd.prove_all(units).await?;
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

/// Ends what may have begun with the end of instances that failed: the pause before another start.
pub(crate) async fn stop_retries(systemd: &Systemd, app: &AppName) -> anyhow::Result<()> {
    let pauses = systemd.units(&[&format!("{app}.retry@*.service")]).await?;
    let pauses = systemd.only_ours(pauses).await?;
    let pauses: Vec<String> = pauses.into_iter().map(|unit| unit.name).collect();
    stop(systemd, Duration::ZERO, &pauses).await
}

/// Lets systemd forget the slice, which nothing else ends: it stays active after the last of its units is gone.
pub(crate) async fn stop_slice(systemd: &Systemd, app: &AppName) -> anyhow::Result<()> {
    match systemd.stop(&units::slice(app), MARGIN).await {
        // The administrator's, who made it while the app was there.
        Err(BusError::Foreign(_)) => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

/// An app may announce itself and die a moment later.
async fn settle(systemd: &Systemd, spec: &AppSpec, units: &[String], since: Timestamp) -> anyhow::Result<()> {
    let before = systemd.instances(units).await?;
    tokio::time::sleep(spec.ready.settle).await;
    let after = systemd.instances(units).await?;
    for (before, after) in before.iter().zip(&after) {
        if !after.activity.is_up() || after.invocation != before.invocation {
            return Err(failure(systemd, &after.unit, &JobResult::Failed, since, units)
                .await?
                .into());
        }
    }
    Ok(())
}

/// `units` were asked for at `since`.
async fn failure(
    systemd: &Systemd,
    unit: &str,
    result: &JobResult,
    since: Timestamp,
    units: &[String],
) -> anyhow::Result<ExpectedError> {
    let state = systemd.instance(unit).await?;
    let Reason { why, said } = Reason::of(&state, result, Some(since)).await;
    let mut message = format!("{unit} did not become ready: {why}");
    if port_asked_for(&why).is_none()
        && let Some(wrong_port) = wrong_port(units, since).await
    {
        message.push_str("; ");
        message.push_str(&wrong_port);
    }
    let app_said: Vec<String> = said
        .into_iter()
        .filter(|line| !line.starts_with(Reason::SHIM))
        .collect();
    let error = ExpectedError::new(Exit::ROLLOUT_FAILED, message).said(app_said);
    Ok(error.help(format!("all it said: journalctl -u {unit}")))
}

/// What the shim or the adapter of any instance says of a port that the app's socket does not hold. Only the first
/// instance gets as far; the others fail because the port is taken by then, which explains nothing.
async fn wrong_port(units: &[String], since: Timestamp) -> Option<String> {
    let query = Query {
        units: units.to_vec(),
        since: Some(format!("@{}", since.as_second())),
        ..Query::default()
    };
    let mut journal = query.open().ok()?;
    while let Ok(Some(line)) = journal.next().await {
        let message = Entry::parse(&line).map(|entry| entry.message);
        let said = message
            .as_deref()
            .and_then(|message| message.strip_prefix(Reason::SHIM));
        if let Some(said) = said.filter(|said| port_asked_for(said).is_some()) {
            return Some(said.to_owned());
        }
    }
    None
}

/// How the shim and the adapter begin such a sentence.
const LISTENS_ON: [&str; 2] = ["listens on port ", "listening on port "];

/// The port that a failed app asked for and that its socket does not hold.
pub(crate) fn port_asked_for(failure: &str) -> Option<u16> {
    let (_, after) = LISTENS_ON.iter().find_map(|words| failure.split_once(words))?;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port_asked_for;

    #[test]
    fn finds_the_port_an_app_asked_for() {
        assert_eq!(
            port_asked_for("myapp listens on port 4000, but its socket holds 3000"),
            Some(4000)
        );
        assert_eq!(port_asked_for("exit status 3"), None);
    }
}
