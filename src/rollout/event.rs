//! What a rollout is told, and what it answers.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Task;
use crate::spec::Instance;

/// What happened. All but [`Event::Died`], [`Event::Errs`], [`Event::Interrupted`], [`Event::Promote`] and [`Event::Abort`] answer the last
/// step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The rollout begins.
    Begin,
    /// It begins only to be taken back, or is taken back while it bakes.
    Abort,
    /// [`Step::Stage`] or [`Step::Commit`] worked.
    Switched,
    /// [`Step::Stage`] or [`Step::Commit`] did not work, and why.
    NotSwitched(String),
    /// [`Step::Undo`] worked.
    Undone,
    /// [`Step::Undo`] did not work, and why.
    NotUndone(String),
    /// A new process of the instance is up and ready, in the run with this invocation id.
    Up(Instance, String),
    /// The instance did not come up, and why.
    NotUp(Instance, String),
    /// The instance was left alone, since something else was not ready for it, and why.
    Refused(Instance, String),
    /// The instance is stopped.
    Down(Instance),
    /// The time of [`Step::Settle`] is over.
    Settled,
    /// The time of [`Step::Bake`] is over.
    Baked,
    /// The operator has seen enough of the canaries.
    Promote,
    /// An instance that had come up is not up any more, and why.
    Died(Instance, String),
    /// An instance on the new state is up and answers too much with errors while it is watched, and how much.
    Errs(Instance, String),
    /// The operator wants to leave.
    Interrupted,
}

/// What to do next. Each but the last two is answered by an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Put the new configuration or release in place.
    Stage,
    /// Make it final.
    Commit,
    /// Put the old one back.
    Undo,
    /// Start, restart or stop an instance, and see that it took effect.
    Run(Task),
    /// Let what is up prove itself for this long.
    Settle(Duration),
    /// Watch what serves: the canaries before the others follow, or everything at the end.
    Bake {
        /// For how long.
        time: Duration,
        /// Only the canaries are new.
        canary: bool,
    },
    /// Nothing new: the last step still runs.
    Continue,
    /// It is over.
    Finish(Outcome),
}

/// Why a rollout failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which instance, when it was one.
    pub instance: Option<Instance>,
    /// Why, a fragment.
    pub why: String,
}

/// How a rollout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done.
    Done {
        /// Instances that were down before and are down still.
        still_down: Vec<Instance>,
    },
    /// It failed before any instance but the surge was touched.
    Kept(Failure),
    /// It failed, and everything is as it was before.
    WentBack(Failure),
    /// It failed half way, and stays there.
    Stopped {
        /// The first thing that went wrong.
        failure: Failure,
        /// Whether the surge instance is left to stand in for one that is missing.
        stands_in: bool,
        /// Why it could not go back, when it tried.
        no_way_back: Option<String>,
    },
    /// The operator left.
    Interrupted {
        /// Everything is as it was before, and there is nothing to resume.
        clean: bool,
    },
    /// The operator took it back.
    Aborted {
        /// Whether everything is as it was before; else instances of both states run.
        went_back: bool,
        /// Why it could not go back, when it tried.
        no_way_back: Option<String>,
    },
}

impl Failure {
    /// A failure of one instance.
    pub(super) fn of(instance: Instance, why: String) -> Self {
        let instance = Some(instance);
        Self { instance, why }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instance {
            Some(Instance::Surge) => write!(f, "the surge instance: {}", self.why),
            Some(instance) => write!(f, "instance {instance}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage => f.write_str("put the new state in place"),
            Self::Commit => f.write_str("make the new state final"),
            Self::Undo => f.write_str("put the old state back"),
            Self::Run(task) => write!(f, "{task}"),
            Self::Settle(time) => write!(f, "watch it for {} ms", time.as_millis()),
            Self::Bake { time, canary: true } => write!(f, "watch the canaries for {} s", time.as_secs_f64()),
            Self::Bake { time, canary: false } => write!(f, "watch all of it for {} s", time.as_secs_f64()),
            Self::Continue => f.write_str("wait"),
            Self::Finish(_) => f.write_str("finish"),
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, instance) = match self {
            Self::Restart(instance) => ("restart", instance),
            Self::Start(instance) => ("start", instance),
            Self::Stop(instance) => ("stop", instance),
        };
        match instance {
            Instance::Surge => write!(f, "{verb} the surge instance"),
            Instance::Number(n) => write!(f, "{verb} instance {n}"),
        }
    }
}
