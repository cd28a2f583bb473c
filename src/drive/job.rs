//! How a job of systemd's ended. What that is worth is for the driver to decide: `done` only says that systemd has nothing
//! left to do.

use std::fmt;

use crate::observe::InstanceState;

/// How a job ended, `JobRemoved` of org.freedesktop.systemd1(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobResult {
    /// systemd did what was asked, or found nothing to do.
    Done,
    /// The unit did not start, or did not stop.
    Failed,
    /// A unit this one requires did not start.
    Dependency,
    /// Another job took its place.
    Canceled,
    /// The job's own timeout.
    Timeout,
    /// Our own deadline passed; the job may still run.
    Unfinished,
    /// Any other word of systemd's.
    Other(String),
}

impl JobResult {
    /// The result of this name.
    pub fn of(word: &str) -> Self {
        match word {
            "done" => Self::Done,
            "failed" => Self::Failed,
            "dependency" => Self::Dependency,
            "canceled" => Self::Canceled,
            "timeout" => Self::Timeout,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether systemd did what was asked.
    pub fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

impl fmt::Display for JobResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Failed => f.write_str("it did not come up"),
            Self::Dependency => f.write_str("a unit it requires did not start"),
            Self::Canceled => f.write_str("another job replaced it"),
            Self::Timeout => f.write_str("it exceeded systemd's time limit"),
            Self::Unfinished => f.write_str("it took too long"),
            Self::Other(word) => write!(f, "systemd says {word}"),
        }
    }
}

/// A service that was restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// What it was.
    pub before: InstanceState,
    /// How the job ended.
    pub result: JobResult,
    /// What it is.
    pub after: InstanceState,
}
