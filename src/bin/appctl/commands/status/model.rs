//! What `status` tells, decided from what systemd, the shims and the files say. Pure.

use std::time::Duration;

use appctl::contract::{Responses, ShimState, ShimStatus};
use appctl::observe::cgroup::Usage;
use appctl::observe::{Activity, Glance, UnitState, reported_release};
use appctl::release::ReleaseId;
use appctl::spec::{AppName, Instance};

/// An app's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppState {
    /// Every instance is ready.
    Up,
    /// Some are.
    Degraded,
    /// None is, although the app was started.
    Down,
    /// Nobody wants it to run.
    Stopped,
    /// A rollout is on its way.
    Rolling,
}

/// An instance's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// On its way to ready.
    Starting,
    /// Serves.
    Ready,
    /// Finishes what it has, and stops.
    Draining,
    /// Waits before it is started again after a crash.
    BackingOff,
    /// Gone after a failure.
    Failed,
    /// Gone.
    Stopped,
}

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct InstanceStatus {
    pub(crate) instance: Instance,
    pub(crate) state: State,
    /// The app's own main process.
    pub(crate) pid: Option<u32>,
    pub(crate) shim_pid: Option<u32>,
    pub(crate) release: Option<ReleaseId>,
    /// When it became ready, since 1970.
    pub(crate) since: Option<Duration>,
    pub(crate) restarts: u32,
    pub(crate) usage: Usage,
    /// What it answered in this run, when an adapter counts it.
    pub(crate) responses: Option<Responses>,
    /// What the app says of itself.
    pub(crate) says: Option<String>,
    pub(crate) remark: Option<String>,
}

/// One app.
#[derive(Debug, Clone)]
pub(crate) struct AppStatus {
    pub(crate) name: AppName,
    pub(crate) state: AppState,
    pub(crate) listen: Vec<String>,
    /// How many instances are wanted.
    pub(crate) wanted: u16,
    pub(crate) instances: Vec<InstanceStatus>,
    /// The record of a rollout that runs or was interrupted.
    pub(crate) rollout: Option<serde_json::Value>,
    /// What the operator should know, a sentence each.
    pub(crate) notes: Vec<String>,
}

impl State {
    /// The word for it, in tables and JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::BackingOff => "backing-off",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// systemd knows whether a unit is up or down; in between, and while it runs, the shim knows more. The two are asked
    /// one after the other, so an instance that is just being replaced may look active to the one and new to the other.
    fn of(state: &Glance, shim: Option<&ShimStatus>) -> Self {
        match (state.activity, shim.map(|shim| shim.state)) {
            (Activity::Inactive, _) => Self::Stopped,
            (Activity::Failed, _) | (Activity::Active | Activity::Reloading, Some(ShimState::Failed)) => Self::Failed,
            (Activity::Deactivating, _) | (_, Some(ShimState::Draining)) => Self::Draining,
            (Activity::Active | Activity::Reloading, Some(ShimState::Starting)) => Self::Starting,
            (_, Some(ShimState::BackingOff)) => Self::BackingOff,
            (Activity::Active | Activity::Reloading, _) => Self::Ready,
            (Activity::Activating, _) if state.sub.starts_with("auto-restart") => Self::BackingOff,
            (Activity::Activating, _) => Self::Starting,
        }
    }
}

impl AppState {
    /// The word for it, in tables and JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Stopped => "stopped",
            Self::Rolling => "rolling",
        }
    }

    /// `started`: the app-level unit is up. `rolling`: a live rollout holds the lock.
    pub(crate) fn of(instances: &[InstanceStatus], wanted: u16, started: bool, rolling: bool) -> Self {
        let ready = ready(instances);
        let running = instances.iter().any(|instance| instance.state != State::Stopped);
        match () {
            () if rolling => Self::Rolling,
            () if ready > 0 && ready >= usize::from(wanted) => Self::Up,
            () if ready > 0 => Self::Degraded,
            () if started || running => Self::Down,
            () => Self::Stopped,
        }
    }
}

impl InstanceStatus {
    /// Puts together what systemd says of a unit and what its control group says.
    pub(crate) fn of(instance: Instance, state: &Glance, usage: Usage) -> Self {
        let shim: Option<ShimStatus> = state.status_text.parse().ok();
        let word = State::of(state, shim.as_ref());
        let lives = !state.activity.is_down();
        Self {
            instance,
            state: word,
            pid: shim.as_ref().and_then(|shim| shim.pid).filter(|_| lives),
            shim_pid: state.main_pid,
            release: shim.as_ref().and_then(reported_release),
            since: state.active_since.filter(|_| word == State::Ready),
            restarts: state.restarts,
            usage,
            responses: shim.as_ref().and_then(|shim| shim.responses).filter(|_| lives),
            says: shim.as_ref().and_then(|shim| shim.words.clone()).filter(|_| lives),
            remark: shim.and_then(|shim| shim.remark),
        }
    }
}

impl AppStatus {
    /// Instances that serve, the surge not counted.
    pub(crate) fn ready(&self) -> usize {
        ready(&self.instances)
    }

    /// The release of all its instances, when there is one.
    pub(crate) fn release(&self) -> Option<&ReleaseId> {
        let mut releases = self.instances.iter().filter_map(|instance| instance.release.as_ref());
        let first = releases.next()?;
        releases.all(|other| other == first).then_some(first)
    }
}

fn ready(instances: &[InstanceStatus]) -> usize {
    let regular = instances.iter().filter(|instance| instance.instance != Instance::Surge);
    regular.filter(|instance| instance.state == State::Ready).count()
}

/// Whether a unit of the list is up.
pub(crate) fn is_up(units: &[UnitState], name: &str) -> bool {
    units.iter().any(|unit| unit.name == name && unit.activity.is_up())
}
