//! Runs a command of the operator's as root: the program itself, no shell, a fixed environment, nothing to read, a time
//! limit for it and for what it started. Never a program that another account could have put there.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use super::session;
use super::trusted::{Owner, Untrusted};

mod program;
#[cfg(test)]
mod tests;

/// Where such a program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of what it said last is told.
const TAIL: u64 = 2048;

/// A command that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// An account that is not root could change the program, its interpreter or an argument.
    #[error("{program} would run as root, but {untrusted}")]
    Unsafe {
        /// The program.
        program: String,
        /// What could be changed.
        untrusted: Untrusted,
    },
    /// It could not be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It said that it failed.
    #[error("{program} ended with {status}{said}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said last, behind a colon.
        said: String,
    },
    /// It did not end in time, and was killed with everything it had started.
    #[error("{program} took longer than {} s", limit.as_secs_f64())]
    TooLong {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
}

/// Refuses a command that another account could change, as far as it is there.
pub fn refuse_untrusted(argv: &[String], owner: Owner) -> Result<(), HookError> {
    match program::find(argv, owner) {
        Err(HookError::Run { .. }) => Ok(()),
        other => other.map(drop),
    }
}

/// Runs one command with these variables to its end. A child that is still there after the limit is killed with its group.
pub async fn run(argv: &[String], variables: &[(&str, String)], limit: Duration) -> Result<(), HookError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Ok(());
    };
    let broken = |source| HookError::Run {
        program: program.clone(),
        source,
    };
    let found = program::find(argv, Owner::Us)?;
    let mut said = tempfile::tempfile().map_err(broken)?;
    let output = || said.try_clone().map(Stdio::from);
    let mut command = Command::new(found.path());
    command
        .arg0(&found.name)
        .args(&found.before)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .envs(variables.iter().cloned());
    command.current_dir("/").stdin(Stdio::null());
    session::isolate(command.as_std_mut());
    let mut child = command
        .stdout(output().map_err(broken)?)
        .stderr(output().map_err(broken)?)
        .spawn()
        .map_err(broken)?;
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    let Ok(status) = tokio::time::timeout(limit, child.wait()).await else {
        // It may have ended this very moment.
        _ = group.map(|group| killpg(Pid::from_raw(group), Signal::SIGKILL));
        _ = child.wait().await;
        let program = program.clone();
        return Err(HookError::TooLong { program, limit });
    };
    let status = status.map_err(broken)?;
    if status.success() {
        return Ok(());
    }
    let said = tail(&mut said);
    let program = program.clone();
    Err(HookError::Failed { program, status, said })
}

fn tail(said: &mut std::fs::File) -> String {
    let length = said.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    let read = said
        .seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .and_then(|_| said.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    match (read, last) {
        (Ok(_), Some(line)) => format!(": {}", crate::observe::journal::without_colours(line)),
        _ => String::new(),
    }
}
