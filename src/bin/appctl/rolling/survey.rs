//! How an app's instances are doing before a rollout touches them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use appctl::host::bus::{InstanceState, Systemd};
use appctl::observe::{Responses, ShimState, ShimStatus};
use appctl::release::ReleaseId;
use appctl::rollout::Seen;
use appctl::spec::{AppName, Instance};
use tokio::time::Instant;

use crate::units;

const LOOK: Duration = Duration::from_millis(50);

/// Instances and what systemd knows of them.
#[derive(Debug)]
pub(crate) struct Survey {
    states: BTreeMap<Instance, InstanceState>,
}

/// What an instance has answered in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) run: Option<String>,
    pub(super) responses: Responses,
}

impl Survey {
    /// Looks at instances 1 to `count` and the surge.
    pub(crate) async fn take(systemd: &Systemd, app: &AppName, count: u16) -> anyhow::Result<Self> {
        let who: Vec<Instance> = (1..=count).map(Instance::Number).chain([Instance::Surge]).collect();
        Self::of(systemd, app, &who).await
    }

    /// Looks at every instance that systemd knows of.
    pub(crate) async fn all(systemd: &Systemd, app: &AppName) -> anyhow::Result<Self> {
        let loaded = systemd.units(&[&format!("{app}@*.service")]).await?;
        let who: Vec<Instance> = loaded
            .iter()
            .filter_map(|unit| units::instance_of(app, &unit.name))
            .collect();
        Self::of(systemd, app, &who).await
    }

    /// Looks at some instances.
    pub(crate) async fn of(systemd: &Systemd, app: &AppName, who: &[Instance]) -> anyhow::Result<Self> {
        let names: Vec<String> = who.iter().map(|instance| units::instance(app, *instance)).collect();
        let states = systemd.instances(&names).await?;
        let states = who.iter().copied().zip(states).collect();
        Ok(Self { states })
    }

    /// Looks once none is on its way up or down any more: what a killed rollout has asked systemd for goes on without it,
    /// and only its result tells what is left to do. One that waits after a crash is not waited for, nor is anything
    /// beyond `patience`.
    pub(crate) async fn settled(
        systemd: &Systemd,
        app: &AppName,
        who: &[Instance],
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let end = Instant::now() + patience;
        loop {
            let survey = Self::of(systemd, app, who).await?;
            if Instant::now() > end || !survey.states.values().any(is_under_way) {
                return Ok(survey);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether systemd has a unit for every instance.
    pub(crate) fn is_loaded(&self) -> bool {
        self.states.values().all(|state| state.load == "loaded")
    }

    /// Whether no regular instance is up or on its way.
    pub(crate) fn is_down(&self) -> bool {
        self.numbered().all(|(_, state)| state.activity.is_down())
    }

    /// Regular instances that are not up.
    pub(crate) fn ailing(&self) -> Vec<Instance> {
        let down = self.numbered().filter(|(_, state)| !state.activity.is_up());
        down.map(|(who, _)| who).collect()
    }

    /// When the regular instance that has been up longest came up, since 1970; `None` unless all are up.
    pub(super) fn oldest_run(&self) -> Option<Duration> {
        let since: Option<Vec<Duration>> = self
            .numbered()
            .map(|(_, state)| state.active_since.filter(|_| state.activity.is_up()))
            .collect();
        since?.into_iter().min()
    }

    /// What the shims of the regular instances say.
    pub(super) fn shims(&self) -> impl Iterator<Item = Option<ShimStatus>> {
        self.numbered().map(|(_, state)| state.status_text.parse().ok())
    }

    /// What those that are up have answered, as far as it is counted.
    pub(super) fn answers(&self) -> BTreeMap<Instance, Answered> {
        let answered = |state: &InstanceState| {
            let shim: ShimStatus = state.status_text.parse().ok()?;
            // Before its first heartbeat an instance has told of none.
            let responses = shim.responses.unwrap_or_default();
            let run = state.invocation.clone();
            Some(Answered { run, responses })
        };
        let all = self.states.iter().filter(|(_, state)| state.activity.is_up());
        all.filter_map(|(who, state)| Some((*who, answered(state)?))).collect()
    }

    /// The runs they are in.
    pub(crate) fn runs(&self) -> BTreeMap<Instance, String> {
        let run = |(who, state): (&Instance, &InstanceState)| Some((*who, state.invocation.clone()?));
        self.states.iter().filter_map(run).collect()
    }

    /// The main processes of their runs, by invocation id.
    pub(super) fn main_processes(&self) -> impl Iterator<Item = (String, u32)> {
        self.states.values().filter_map(main_process)
    }

    /// What the planner needs in order to go on with an interrupted rollout, to `release` if it is one of a release.
    pub(crate) fn seen(&self, release: Option<&ReleaseId>) -> BTreeMap<Instance, Seen> {
        let seen = |state: &InstanceState| Seen {
            up: state.activity.is_up(),
            invocation: state.invocation.clone(),
            new: release.and_then(|release| Some(release_of(state)? == *release)),
        };
        self.states.iter().map(|(who, state)| (*who, seen(state))).collect()
    }

    /// The releases that instances run, whatever they are doing.
    pub(crate) fn releases(&self) -> impl Iterator<Item = ReleaseId> {
        self.states.values().filter_map(release_of)
    }

    /// Instances that run a release.
    pub(super) fn on_release(&self, release: &ReleaseId) -> BTreeSet<Instance> {
        let on_it = |state: &InstanceState| release_of(state).as_ref() == Some(release);
        self.states
            .iter()
            .filter(|(_, state)| on_it(state))
            .map(|(who, _)| *who)
            .collect()
    }

    fn numbered(&self) -> impl Iterator<Item = (Instance, &InstanceState)> {
        let regular = self.states.iter().filter(|(who, _)| **who != Instance::Surge);
        regular.map(|(who, state)| (*who, state))
    }
}

/// The main process of a run that is not over, and the run.
pub(super) fn main_process(state: &InstanceState) -> Option<(String, u32)> {
    state.invocation.clone().zip(state.main_pid)
}

/// What an instance runs, as its shim says.
pub(super) fn release_of(state: &InstanceState) -> Option<ReleaseId> {
    let shim: ShimStatus = state.status_text.parse().ok()?;
    units::reported(&shim).filter(|_| !state.activity.is_down())
}

fn is_under_way(state: &InstanceState) -> bool {
    let shim = state.status_text.parse::<ShimStatus>();
    let waits = state.sub == "auto-restart" || shim.is_ok_and(|shim| shim.state == ShimState::BackingOff);
    let moves = !state.activity.is_up() && !state.activity.is_down();
    !waits && (moves || state.job.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use appctl::host::bus::{Activity, UnitState};

    fn state(activity: Activity, sub: &str, job: Option<u32>) -> InstanceState {
        let row = UnitState {
            name: "myapp@1.service".to_owned(),
            load: "loaded".to_owned(),
            activity,
            sub: sub.to_owned(),
            job,
        };
        InstanceState::listed(&row.name, Some(&row))
    }

    #[test]
    fn every_moment_of_a_restart_is_under_way() {
        let asked = state(Activity::Active, "running", Some(1));
        let stops = state(Activity::Deactivating, "stop-sigterm", Some(1));
        let between = state(Activity::Inactive, "dead", Some(1));
        let starts = state(Activity::Activating, "start", Some(1));
        for moment in [asked, stops, between, starts] {
            assert!(is_under_way(&moment), "{moment:?}");
        }
    }

    #[test]
    fn what_rests_or_waits_after_a_crash_is_not_under_way() {
        let up = state(Activity::Active, "running", None);
        let stopped = state(Activity::Inactive, "dead", None);
        let failed = state(Activity::Failed, "failed", None);
        let waits = state(Activity::Activating, "auto-restart", Some(1));
        for moment in [up, stopped, failed, waits] {
            assert!(!is_under_way(&moment), "{moment:?}");
        }
    }
}
