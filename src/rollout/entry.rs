//! One instance's part in a rollout, as the record keeps it.

use serde::{Deserialize, Serialize};

use super::Task;

/// What is to be done to one instance, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `1`, `2` …
    pub instance: String,
    /// What is to be done to it.
    pub task: TaskName,
    /// How far that is.
    pub progress: Progress,
    /// Whether it was down before.
    pub ailing: bool,
    /// Its run before the rollout.
    pub old: Option<String>,
    /// Its run since.
    pub new: Option<String>,
}

/// What is to be done to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskName {
    /// Replace it.
    Restart,
    /// Add it.
    Start,
    /// Take it away.
    Stop,
}

/// How far an instance's part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Untouched.
    Waiting,
    /// Under way.
    Running,
    /// As asked for.
    Done,
    /// Did not come up, or did not stay up.
    Failed,
}

impl Entry {
    /// The task as the planner knows it; `None` when the record was tampered with.
    pub(super) fn task(&self) -> Option<Task> {
        let instance = self.instance.parse().ok()?;
        Some(match self.task {
            TaskName::Restart => Task::Restart(instance),
            TaskName::Start => Task::Start(instance),
            TaskName::Stop => Task::Stop(instance),
        })
    }
}

impl TaskName {
    pub(super) fn of(task: Task) -> Self {
        match task {
            Task::Restart(_) => Self::Restart,
            Task::Start(_) => Self::Start,
            Task::Stop(_) => Self::Stop,
        }
    }
}
