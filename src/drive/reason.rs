//! Why an instance is not up, in the words of systemd, of its shim and of the app itself.

use super::JobResult;
use crate::contract::ShimStatus;
use crate::contract::exit_status::signal_of_status;
use crate::observe::InstanceState;

/// Why an instance is not up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// A fragment.
    pub why: String,
    /// The signal that ended it, as systemd or its shim knows.
    pub signal: Option<i32>,
    /// What was said last, oldest first.
    pub said: Vec<Said>,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The text, without effect on a terminal.
    pub text: String,
    /// Whether it looks like a note of the shim.
    pub is_note: bool,
}

impl Reason {
    /// All that was said, as text.
    pub fn lines(&self) -> Vec<String> {
        self.said.iter().map(|line| line.text.clone()).collect()
    }
}

/// The reason for a state after a job with this result, given what its shim told of a failure, and what was said.
pub fn because(state: &InstanceState, result: &JobResult, shim: Option<ShimStatus>, said: Vec<Said>) -> Reason {
    let signal = killed_by(state).or(shim.as_ref().and_then(|shim| shim.signal));
    let why = shim.and_then(|shim| shim.remark).or_else(|| ended(state, result));
    let why = why.unwrap_or_else(|| otherwise(state, result));
    Reason { why, signal, said }
}

/// The signal that ended the main process of a unit that is down, or what its shell ran.
pub fn killed_by(state: &InstanceState) -> Option<i32> {
    match state.exit_code {
        1 => signal_of_status(state.exit_status),
        2 | 3 => Some(state.exit_status),
        _ => None,
    }
}

/// How its main process ended. It is gone once systemd has started it again.
fn ended(state: &InstanceState, result: &JobResult) -> Option<String> {
    match (state.result.as_str(), state.exit_code) {
        ("timeout", _) => Some("it was not ready in time".to_owned()),
        ("oom-kill", _) => Some("the kernel killed it: out of memory".to_owned()),
        (_, 1) if state.exit_status != 0 => Some(format!("it exited with status {}", state.exit_status)),
        (_, 2 | 3) => Some(format!("it was killed by signal {}", state.exit_status)),
        (_, 1) if result.is_done() => Some("it exited by itself".to_owned()),
        _ => None,
    }
}

fn otherwise(state: &InstanceState, result: &JobResult) -> String {
    match result {
        JobResult::Done if state.activity.is_up() => "something other than this rollout restarted it".to_owned(),
        JobResult::Done => format!("it is {}", state.sub),
        other => other.to_string(),
    }
}
