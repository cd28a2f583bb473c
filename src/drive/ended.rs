//! What is left of a rollout that is over.

use super::Reason;
use crate::rollout::{Event, Outcome};

/// How a rollout ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What it came to.
    pub outcome: Outcome,
    /// The same, for people.
    pub sentence: String,
    /// What it began for: [`Event::Begin`] or [`Event::Abort`].
    pub wanted: Event,
    /// What became of the requests in progress; `None` when that is not known.
    pub drained: Option<Drained>,
    /// Why the first instance failed that did so in the new state.
    pub first: Option<Reason>,
}

/// Requests in progress when instances had to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Those that were finished.
    pub waited_for: u64,
    /// Those that were not, when the time to stop was over.
    pub cut: u64,
}
