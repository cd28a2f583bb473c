//! A whole app, up: its units started and waited for, with what the app itself said about a failure.

use std::time::Duration;

use appctl::contract::{ShimStatus, times};
use appctl::drive::JobResult;
use appctl::host::bus::Systemd;
use appctl::host::world::why;
use appctl::observe::{Activity, InstanceState};
use appctl::spec::{AppSpec, Instance};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::contained::{End, Failure, Kind};
use crate::exit::{Exit, ExpectedError};
use crate::session::Session;
use crate::units;

impl Session<'_> {
    /// Brings the whole app up, whatever of it is up already: what belongs to all instances, then each of them.
    pub(crate) async fn bring_up(&self, spec: &AppSpec) -> anyhow::Result<()> {
        self.bring_up_since(spec, Timestamp::now()).await
    }

    /// Stops and starts all of it at once, while requests wait in the socket.
    pub(crate) async fn restart(&self, spec: &AppSpec) -> anyhow::Result<()> {
        let since = Timestamp::now();
        self.systemd
            .restart(&units::service(&self.app), times::worst_app_restart(spec))
            .await?;
        self.bring_up_since(spec, since).await
    }

    /// `since` is when it was first asked for: the first run may be the only one that says why it fails, and be over by
    /// now.
    async fn bring_up_since(&self, spec: &AppSpec, since: Timestamp) -> anyhow::Result<()> {
        let service = units::service(&self.app);
        let started = self.systemd.start(&service, times::worst_start(spec)).await?;
        if !started.is_done() {
            let error = ExpectedError::new(Exit::ROLLOUT_FAILED, format!("{service} did not start: {started}"));
            let socket = units::socket(&self.app);
            return Err(error
                .help(format!("journalctl -u {service} -u {socket} shows why"))
                .into());
        }
        let numbers = (1..=units::count(spec)).map(|number| units::instance(&self.app, Instance::Number(number)));
        let units: Vec<String> = numbers.collect();
        let (systemd, units) = (self.systemd, units.as_slice());
        // Jobs that the app's own unit has queued are joined, not repeated.
        Start {
            systemd,
            spec,
            units,
            since,
        }
        .carry_out()
        .await
    }
}

/// How long another instance may take to say that it listens on another port.
const SPEECH: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// Instances that are started all at once.
struct Start<'a> {
    systemd: &'a Systemd,
    spec: &'a AppSpec,
    units: &'a [String],
    since: Timestamp,
}

impl Start<'_> {
    /// Waits until each is ready and stays so for the settle time. The first that does not is an error that shows why;
    /// the others are left as they are, for the caller to undo.
    async fn carry_out(&self) -> anyhow::Result<()> {
        self.systemd.prove_all(self.units).await?;
        let deadline = times::worst_start(self.spec);
        let mut starting: FuturesUnordered<_> = self
            .units
            .iter()
            .map(async |unit| (unit, self.systemd.start(unit, deadline).await))
            .collect();
        while let Some((unit, result)) = starting.next().await {
            let result = result?;
            if !result.is_done() {
                return Err(self.failure(unit, &result).await?.into());
            }
        }
        self.settle().await
    }

    /// An app may announce itself and die a moment later.
    async fn settle(&self) -> anyhow::Result<()> {
        let before = self.systemd.instances(self.units).await?;
        tokio::time::sleep(self.spec.ready.settle).await;
        let after = self.systemd.instances(self.units).await?;
        for (before, after) in before.iter().zip(&after) {
            if !after.activity.is_up() || after.invocation != before.invocation {
                return Err(self.failure(&after.unit, &JobResult::Failed).await?.into());
            }
        }
        Ok(())
    }

    async fn failure(&self, unit: &str, result: &JobResult) -> anyhow::Result<ExpectedError> {
        let state = self.systemd.instance(unit).await?;
        let reason = why(self.systemd, &state, result, Some(self.since)).await;
        let mut message = format!("{unit} did not become ready: {}", reason.why);
        let port = self.asked_port(unit).await?;
        if let Some((other, port)) = port.as_ref().filter(|(other, _)| other != unit) {
            let elsewhere = format!("; {other} listens on port {port}, which its socket does not hold");
            message.push_str(&elsewhere);
        }
        let failure = Failure::of(self.spec, Kind::App, End::of(&reason));
        let mut error = ExpectedError::new(Exit::ROLLOUT_FAILED, message).said(failure.end.said.clone());
        error = error.about(failure);
        error.asked_port = port.map(|(_, port)| port);
        Ok(error.help(format!("its whole log: journalctl -u {unit}")))
    }

    /// A port that any of the instances listens on and that the app's socket does not hold, as its shim says. Only the
    /// first instance gets as far; the others fail because the port is taken by then, which explains nothing. That one
    /// has a moment to say so: another may have failed before the first's word was with systemd.
    async fn asked_port(&self, failed: &str) -> anyhow::Result<Option<(String, u16)>> {
        let end = Instant::now() + SPEECH;
        loop {
            let states = self.systemd.instances(self.units).await?;
            let may_say = !self.spec.listen.is_empty()
                && states
                    .iter()
                    .any(|state| state.unit != failed && state.activity == Activity::Activating);
            let port = states.into_iter().find_map(elsewhere);
            if port.is_some() || !may_say || Instant::now() >= end {
                return Ok(port);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The port that an instance listens on and that the app's socket does not hold.
fn elsewhere(state: InstanceState) -> Option<(String, u16)> {
    let shim: ShimStatus = state.status_text.parse().ok()?;
    Some((state.unit, shim.elsewhere?))
}
