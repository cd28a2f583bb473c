//! What a rollout is asked to do.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::spec::Instance;

/// The verb that began a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// The same code and configuration, new processes.
    RollingRestart,
    /// A changed configuration.
    Apply,
    /// Another number of instances.
    Scale,
    /// A new release.
    Deploy,
    /// An earlier release.
    Rollback,
}

/// One instance's part in a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Replace it.
    Restart(Instance),
    /// Add it.
    Start(Instance),
    /// Take it away.
    Stop(Instance),
}

/// How carefully.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether an extra instance proves the new state first and stands in for the one being replaced.
    pub surge: bool,
    /// How long the first new instance must stay up before anything else is touched.
    pub settle: Duration,
}

/// A few instances that run the new state for a while before the others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The first so many tasks.
    pub count: usize,
    /// How long they are watched.
    pub bake: Duration,
}

/// What changes besides processes, and whether it can be changed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Switch {
    /// Something is put in place before the first new instance starts.
    pub stage: bool,
    /// Something is made final once the first new instance has proven itself.
    pub commit: bool,
    /// Both can be undone.
    pub undo: bool,
}

impl Switch {
    /// Only processes change.
    pub const NONE: Self = Self {
        stage: false,
        commit: false,
        undo: false,
    };
    /// The applied configuration changes.
    pub const CONFIG: Self = Self {
        stage: true,
        commit: false,
        undo: true,
    };
    /// The live release changes.
    pub const RELEASE: Self = Self {
        stage: true,
        commit: true,
        undo: true,
    };
}

/// What a rollout is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The verb that began it.
    pub verb: Verb,
    /// What to do to which instance, in this order.
    pub tasks: Vec<Task>,
    /// How carefully.
    pub policy: Policy,
    /// What changes besides processes.
    pub switch: Switch,
    /// Instances that were not up before: when they stay down, that is no fault of the rollout's.
    pub ailing: Vec<Instance>,
    /// Whether a few go first and are watched before anything is made final.
    pub canary: Option<Canary>,
    /// How long all that is new is watched at the end; zero is not at all.
    pub bake: Duration,
}

impl Request {
    /// Brings an app of `before` instances to `after`, where the ones that stay are replaced if `replace`. Instances
    /// that are down go first, since replacing them takes nothing away; the ones to be removed go last, from the top.
    pub fn new(verb: Verb, (before, after): (u16, u16), replace: bool, ailing: Vec<Instance>, policy: Policy) -> Self {
        let stay = (1..=before.min(after)).map(Instance::Number);
        let (down, up): (Vec<_>, Vec<_>) = stay.partition(|instance| ailing.contains(instance));
        let replaced = down.into_iter().chain(up).filter(|_| replace).map(Task::Restart);
        let added = (before + 1..=after).map(Instance::Number).map(Task::Start);
        let removed = (after + 1..=before).rev().map(Instance::Number).map(Task::Stop);
        let switch = match verb {
            Verb::RollingRestart => Switch::NONE,
            Verb::Apply | Verb::Scale => Switch::CONFIG,
            Verb::Deploy | Verb::Rollback => Switch::RELEASE,
        };
        let tasks = replaced.chain(added).chain(removed).collect();
        Self {
            verb,
            tasks,
            policy,
            switch,
            ailing,
            canary: None,
            bake: Duration::ZERO,
        }
    }

    /// How long the canaries are watched, or everything at the end.
    pub(super) fn watch_time(&self, canary: bool) -> Duration {
        match self.canary {
            Some(watched) if canary => watched.bake,
            _ => self.bake,
        }
    }

    /// Whether the surge instance takes part: only where an instance is replaced.
    pub fn has_surge(&self) -> bool {
        self.policy.surge && self.tasks.iter().any(|task| matches!(task, Task::Restart(_)))
    }
}

impl Task {
    /// Whose part it is.
    pub fn instance(self) -> Instance {
        match self {
            Self::Restart(instance) | Self::Start(instance) | Self::Stop(instance) => instance,
        }
    }

    /// Whether the instance is to be up afterwards.
    pub fn brings_up(self) -> bool {
        !matches!(self, Self::Stop(_))
    }

    /// What takes it back.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::Restart(instance) => Self::Restart(instance),
            Self::Start(instance) => Self::Stop(instance),
            Self::Stop(instance) => Self::Start(instance),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RollingRestart => "rolling-restart",
            Self::Apply => "apply",
            Self::Scale => "scale",
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
        })
    }
}
