//! Starting and stopping units and waiting for what becomes of them, with what the app itself said about a failure.

use appctl::contract::times;
use appctl::host::bus::{InstanceState, JobResult, Systemd};
use appctl::observe::ShimStatus;
use appctl::spec::{AppSpec, Instance};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;

use crate::contained::{Failure, Kind};
use crate::exit::{Exit, ExpectedError};
use crate::rolling::Reason;
use crate::units;

/// Starts units all at once and waits until each is ready and stays so for the settle time. The first that does not is
/// an error that shows why; the others are left as they are, for the caller to undo.
///
/// `since` is when they were first asked for, be it by the app's own unit: the first run may be the only one that says
/// why it fails, and be over by now.
pub(crate) async fn start(systemd: &Systemd, spec: &AppSpec, units: &[String], since: Timestamp) -> anyhow::Result<()> {
    systemd.prove_all(units).await?;
    let deadline = times::worst_start(spec);
    let mut starting: FuturesUnordered<_> = units
        .iter()
        .map(async |unit| (unit, systemd.start(unit, deadline).await))
        .collect();
    while let Some((unit, result)) = starting.next().await {
        let result = result?;
        if !result.is_done() {
            return Err(failure(systemd, spec, unit, &result, (since, units)).await?.into());
        }
    }
    settle(systemd, spec, units, since).await
}

/// Brings a whole app up that is down: the socket, then every instance.
pub(crate) async fn bring_up(systemd: &Systemd, spec: &AppSpec) -> anyhow::Result<()> {
    let name = &spec.name;
    let service = units::service(name);
    let since = Timestamp::now();
    let started = systemd.start(&service, times::worst_start(spec)).await?;
    if !started.is_done() {
        let error = ExpectedError::new(Exit::ROLLOUT_FAILED, format!("{service} did not start: {started}"));
        return Err(error
            .help(format!("journalctl -u {service} -u {} says why", units::socket(name)))
            .into());
    }
    let numbers = (1..=units::count(spec)).map(|number| units::instance(name, Instance::Number(number)));
    start(systemd, spec, &numbers.collect::<Vec<_>>(), since).await
}

/// An app may announce itself and die a moment later.
async fn settle(systemd: &Systemd, spec: &AppSpec, units: &[String], since: Timestamp) -> anyhow::Result<()> {
    let before = systemd.instances(units).await?;
    tokio::time::sleep(spec.ready.settle).await;
    let after = systemd.instances(units).await?;
    for (before, after) in before.iter().zip(&after) {
        if !after.activity.is_up() || after.invocation != before.invocation {
            let error = failure(systemd, spec, &after.unit, &JobResult::Failed, (since, units)).await?;
            return Err(error.into());
        }
    }
    Ok(())
}

/// `units` were asked for at `since`.
async fn failure(
    systemd: &Systemd,
    spec: &AppSpec,
    unit: &str,
    result: &JobResult,
    (since, units): (Timestamp, &[String]),
) -> anyhow::Result<ExpectedError> {
    let state = systemd.instance(unit).await?;
    let reason = Reason::of(systemd, &state, result, Some(since)).await;
    let mut message = format!("{unit} did not become ready: {}", reason.why);
    let port = asked_port(systemd, units).await?;
    if let Some((other, port)) = port.as_ref().filter(|(other, _)| other != unit) {
        let elsewhere = format!("; {other} listens on port {port}, which its socket does not hold");
        message.push_str(&elsewhere);
    }
    let failure = Failure::of(spec, Kind::App, reason.end());
    let mut error = ExpectedError::new(Exit::ROLLOUT_FAILED, message).said(failure.end.said.clone());
    error = error.about(failure);
    error.asked_port = port.map(|(_, port)| port);
    Ok(error.help(format!("all it said: journalctl -u {unit}")))
}

/// A port that any of the instances listens on and that the app's socket does not hold, as its shim says. Only the first
/// instance gets as far; the others fail because the port is taken by then, which explains nothing.
async fn asked_port(systemd: &Systemd, units: &[String]) -> anyhow::Result<Option<(String, u16)>> {
    let states = systemd.instances(units).await?;
    let port = |state: InstanceState| {
        let shim: ShimStatus = state.status_text.parse().ok()?;
        Some((state.unit, shim.elsewhere?))
    };
    Ok(states.into_iter().find_map(port))
}
