//! What came of a step.

use jiff::Timestamp;

use super::Reason;
use crate::observe::InstanceState;
use crate::rollout::Event;

/// A run of an instance that this rollout brought up.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Its invocation id.
    pub(super) id: String,
    /// When it was asked for.
    pub(super) since: Timestamp,
}

/// What came of a step.
#[derive(Debug)]
pub(super) struct Done {
    /// For the rollout.
    pub(super) event: Event,
    /// The run of an instance that came up.
    pub(super) run: Option<Run>,
    /// Why an instance failed.
    pub(super) reason: Option<Reason>,
    /// What went wrong and stops nothing.
    pub(super) notes: Vec<String>,
    /// Main processes of the runs that were met, see [`crate::rollout::About::shims`].
    pub(super) shims: Vec<(String, u32)>,
}

impl From<Event> for Done {
    fn from(event: Event) -> Self {
        Self {
            event,
            run: None,
            reason: None,
            notes: Vec::new(),
            shims: Vec::new(),
        }
    }
}

/// The main process of a run that is not over, and the run.
pub(super) fn main_process(state: &InstanceState) -> Option<(String, u32)> {
    state.invocation.clone().zip(state.main_pid)
}
