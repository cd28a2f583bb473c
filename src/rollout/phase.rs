//! What a rollout is doing, how far that is, and why it turned round.

use serde::{Deserialize, Serialize};

use super::{Failure, Outcome, Task};

/// Why the way forward ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cause {
    Failed(Failure),
    Interrupted,
    Aborted,
}

/// The step that is under way, or was the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Phase {
    Fresh,
    Staging,
    Settling,
    Committing,
    Running(Task),
    Baking { canary: bool },
    Undoing,
}

impl Phase {
    /// Nothing is under way that would have to come to its end first.
    pub(super) fn only_watches(self) -> bool {
        matches!(self, Self::Settling | Self::Baking { .. })
    }
}

/// How far the switch is, in the process that drives the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Switched {
    No,
    Staged,
    Committed,
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watching {
    /// A few instances, before the others follow.
    Canaries,
    /// All that is new, at the end.
    All,
}

/// Where a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not ended. Without a holder of the lock it was interrupted.
    Running,
    /// Everything asked for is done.
    Done,
    /// Failed before anything was touched.
    Kept,
    /// Failed, and everything was put back.
    WentBack,
    /// Failed half way.
    Stopped,
    /// The operator left half way.
    Interrupted,
    /// The operator took it back.
    Aborted,
}

impl State {
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { .. } => Self::Done,
            Outcome::Kept(_) | Outcome::Interrupted { clean: true } => Self::Kept,
            Outcome::WentBack(_) => Self::WentBack,
            Outcome::Stopped { .. } => Self::Stopped,
            Outcome::Interrupted { clean: false } => Self::Interrupted,
            Outcome::Aborted { .. } => Self::Aborted,
        }
    }

    /// Whether `resume` and `abort` have something to do, once no process drives the rollout any more.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Interrupted | Self::Stopped)
    }
}
