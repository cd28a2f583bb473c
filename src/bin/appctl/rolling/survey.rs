//! How an app's instances are doing before a rollout touches them.

use std::collections::BTreeMap;

use appctl::host::bus::{InstanceState, Systemd};
use appctl::rollout::Seen;
use appctl::spec::{AppName, Instance};

use crate::units;

/// Instances and what systemd knows of them.
#[derive(Debug)]
pub(crate) struct Survey {
    states: BTreeMap<Instance, InstanceState>,
}

impl Survey {
    /// Looks at instances 1 to `count` and the surge.
    pub(crate) async fn take(systemd: &Systemd, app: &AppName, count: u16) -> anyhow::Result<Self> {
        let who: Vec<Instance> = (1..=count).map(Instance::Number).chain([Instance::Surge]).collect();
        Self::of(systemd, app, &who).await
    }

    /// Looks at some instances.
    pub(crate) async fn of(systemd: &Systemd, app: &AppName, who: &[Instance]) -> anyhow::Result<Self> {
        let names: Vec<String> = who.iter().map(|instance| units::instance(app, *instance)).collect();
        let states = systemd.instances(&names).await?;
        let states = who.iter().copied().zip(states).collect();
        Ok(Self { states })
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

    /// The runs they are in.
    pub(crate) fn runs(&self) -> BTreeMap<Instance, String> {
        let run = |(who, state): (&Instance, &InstanceState)| Some((*who, state.invocation.clone()?));
        self.states.iter().filter_map(run).collect()
    }

    /// What the planner needs in order to go on with an interrupted rollout.
    pub(crate) fn seen(&self) -> BTreeMap<Instance, Seen> {
        let seen = |state: &InstanceState| Seen {
            up: state.activity.is_up(),
            invocation: state.invocation.clone(),
        };
        self.states.iter().map(|(who, state)| (*who, seen(state))).collect()
    }

    fn numbered(&self) -> impl Iterator<Item = (Instance, &InstanceState)> {
        let regular = self.states.iter().filter(|(who, _)| **who != Instance::Surge);
        regular.map(|(who, state)| (*who, state))
    }
}
