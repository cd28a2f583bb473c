//! How an app's instances are doing before a rollout touches them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::World;
use super::answers::Answered;
use super::done::main_process;
use crate::contract::{ShimState, ShimStatus};
use crate::observe::{InstanceState, reported_release};
use crate::release::ReleaseId;
use crate::rollout::Seen;
use crate::spec::Instance;

const LOOK: Duration = Duration::from_millis(50);

/// Instances and what systemd knows of them.
#[derive(Debug)]
pub struct Survey {
    states: BTreeMap<Instance, InstanceState>,
}

impl Survey {
    /// Instances, and what is known of each.
    pub fn new(states: BTreeMap<Instance, InstanceState>) -> Self {
        Self { states }
    }

    /// Looks at some instances.
    pub(super) async fn of(world: &impl World, who: &[Instance]) -> anyhow::Result<Self> {
        let states = world.instances(who).await?;
        Ok(Self::new(who.iter().copied().zip(states).collect()))
    }

    /// Looks once none is on its way up or down any more: what a killed rollout has asked systemd for goes on without it,
    /// and only its result tells what is left to do. One that waits after a crash is not waited for, nor is anything
    /// beyond `patience`.
    pub(super) async fn settled(world: &impl World, who: &[Instance], patience: Duration) -> anyhow::Result<Self> {
        let end = world.now() + patience;
        loop {
            let survey = Self::of(world, who).await?;
            if world.now() > end || !survey.states.values().any(is_under_way) {
                return Ok(survey);
            }
            world.sleep(LOOK).await;
        }
    }

    /// Whether systemd has a unit for every instance.
    pub fn is_loaded(&self) -> bool {
        self.states.values().all(|state| state.load == "loaded")
    }

    /// Whether no regular instance is up or on its way.
    pub fn is_down(&self) -> bool {
        self.numbered().all(|(_, state)| state.activity.is_down())
    }

    /// Regular instances that are not up.
    pub fn ailing(&self) -> Vec<Instance> {
        let down = self.numbered().filter(|(_, state)| !state.activity.is_up());
        down.map(|(who, _)| who).collect()
    }

    /// When the regular instance that has been up longest came up, since 1970; `None` unless all are up.
    pub fn oldest_run(&self) -> Option<Duration> {
        let since: Option<Vec<Duration>> = self
            .numbered()
            .map(|(_, state)| state.active_since.filter(|_| state.activity.is_up()))
            .collect();
        since?.into_iter().min()
    }

    /// What the shims of the regular instances say.
    pub fn shims(&self) -> impl Iterator<Item = Option<ShimStatus>> {
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
    pub fn runs(&self) -> BTreeMap<Instance, String> {
        let run = |(who, state): (&Instance, &InstanceState)| Some((*who, state.invocation.clone()?));
        self.states.iter().filter_map(run).collect()
    }

    /// The main processes of their runs, by invocation id.
    pub(super) fn main_processes(&self) -> impl Iterator<Item = (String, u32)> {
        self.states.values().filter_map(main_process)
    }

    /// What the planner needs in order to go on with an interrupted rollout, to `release` if it is one of a release.
    pub fn seen(&self, release: Option<&ReleaseId>) -> BTreeMap<Instance, Seen> {
        let seen = |state: &InstanceState| Seen {
            up: state.activity.is_up(),
            invocation: state.invocation.clone(),
            new: release.and_then(|release| Some(release_of(state)? == *release)),
        };
        self.states.iter().map(|(who, state)| (*who, seen(state))).collect()
    }

    /// The releases that instances run, whatever they are doing.
    pub fn releases(&self) -> impl Iterator<Item = ReleaseId> {
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

/// What an instance runs, as its shim says.
pub(super) fn release_of(state: &InstanceState) -> Option<ReleaseId> {
    let shim: ShimStatus = state.status_text.parse().ok()?;
    reported_release(&shim).filter(|_| !state.activity.is_down())
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
    use crate::observe::{Activity, UnitState};

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
