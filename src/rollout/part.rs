//! How far one instance's part in a rollout is.

use serde::{Deserialize, Serialize};

/// What became of one instance's task, and the runs it had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) progress: Progress,
    /// The invocation id before the rollout.
    pub(super) old: Option<String>,
    /// The invocation id that the rollout has last seen come up.
    pub(super) new: Option<String>,
}

/// How far an instance's part is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Untouched.
    #[default]
    Waiting,
    /// Under way.
    Running,
    /// As asked for.
    Done,
    /// Did not come up, or did not stay up.
    Failed,
}
