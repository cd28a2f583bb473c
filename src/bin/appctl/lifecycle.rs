//! Starting and stopping units and waiting for what becomes of them, with what the app itself said about a failure.

use std::time::Duration;

use appctl::host::bus::{JobResult, Systemd};
use appctl::host::journal::Query;
use appctl::observe::journal::Entry;
use appctl::spec::{AppSpec, Instance};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use crate::exit::{Exit, ExpectedError};
use crate::rolling::Reason;
use crate::units;

/// What systemd may take beyond the app's own times.
pub(crate) const MARGIN: Duration = Duration::from_secs(20);

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

/// Brings a whole app up that is down: the socket, then every instance.
pub(crate) async fn bring_up(systemd: &Systemd, spec: &AppSpec) -> anyhow::Result<()> {
    let name = &spec.name;
    let service = units::service(name);
    let started = systemd.start(&service, spec.ready.timeout + MARGIN).await?;
    if !started.is_done() {
        let error = ExpectedError::new(Exit::ROLLOUT_FAILED, format!("{service} did not start: {started}"));
        return Err(error
            .help(format!("journalctl -u {service} -u {} says why", units::socket(name)))
            .into());
    }
    let numbers = (1..=units::count(spec)).map(|number| units::instance(name, Instance::Number(number)));
    start(systemd, spec, &numbers.collect::<Vec<_>>()).await
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
