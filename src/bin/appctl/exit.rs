//! What the shell sees: the exit codes, one documented constant each, and the error that carries one.
//!
//! Two kinds of errors: an [`ExpectedError`] belongs to the user's world, has its own exit code and says what to do;
//! everything else ends with [`Exit::FAILED`].

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use appctl::contract::outcome;
use appctl::host::bus::BusError;
use appctl::host::files::FileError;
use appctl::spec::Problem;

use crate::contained::Failure;
use crate::ending::Ended;

/// Exit status of `appctl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// Done, or there was nothing to do.
    pub(crate) const DONE: Self = Self(outcome::DONE);
    /// Failed for a reason that has no code of its own.
    pub(crate) const FAILED: Self = Self(outcome::FAILED);
    /// The command line is wrong; clap exits with the same code.
    pub(crate) const USAGE: Self = Self(outcome::USAGE);
    /// A configuration file, or what `install` would write into one, is invalid.
    pub(crate) const INVALID_CONFIG: Self = Self(outcome::INVALID_CONFIG);
    /// An app did not come up; the old state was kept or put back.
    pub(crate) const ROLLOUT_FAILED: Self = Self(outcome::ROLLOUT_FAILED);
    /// No such app, or no such release.
    pub(crate) const NOT_FOUND: Self = Self(outcome::NOT_FOUND);
    /// Only root, or another account, may do this.
    pub(crate) const NOT_PERMITTED: Self = Self(outcome::NOT_PERMITTED);
    /// Another rollout of the app holds its lock.
    pub(crate) const BUSY: Self = Self(outcome::BUSY);
    /// Done, but requests were cut because they took longer than an instance may take to stop.
    pub(crate) const CUT: Self = Self(outcome::CUT);

    /// The code of an error: the one it carries, else [`Exit::FAILED`].
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if let Some(ended) = error.downcast_ref::<Ended>() {
            return Self(ended.status());
        }
        match error.downcast_ref::<ExpectedError>() {
            Some(expected) => expected.exit,
            None => match error.downcast_ref() {
                Some(BusError::Denied(_)) => Self::NOT_PERMITTED,
                Some(BusError::Foreign(_)) => Self::INVALID_CONFIG,
                _ => Self::FAILED,
            },
        }
    }

    /// The number the shell sees.
    pub(crate) fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// An error of the user's world: what is wrong, what to do, and the exit code.
#[derive(Debug)]
pub(crate) struct ExpectedError {
    /// Exit code.
    pub(crate) exit: Exit,
    /// What is wrong, a lower-case fragment.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// What the app said last, oldest first.
    pub(crate) said: Vec<String>,
    /// What is wrong inside files, shown with carets.
    pub(crate) files: Vec<InvalidFile>,
    /// The port that an app asked for and does not hold.
    pub(crate) asked_port: Option<u16>,
    /// What of an app failed, for [`crate::contained`].
    pub(crate) failure: Option<Box<Failure>>,
}

/// A configuration file with problems.
#[derive(Debug)]
pub(crate) struct InvalidFile {
    /// The file as the user named it.
    pub(crate) path: PathBuf,
    /// Its text, for the excerpt.
    pub(crate) text: String,
    /// Never empty.
    pub(crate) problems: Vec<Problem>,
}

impl ExpectedError {
    /// An error with an exit code and a message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: None,
            said: Vec::new(),
            files: Vec::new(),
            asked_port: None,
            failure: None,
        }
    }

    /// The same error, with what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same error, with what the app said last.
    pub(crate) fn said(mut self, lines: Vec<String>) -> Self {
        self.said = lines;
        self
    }

    /// The same error, of something that its sandbox may have kept from working.
    pub(crate) fn about(mut self, failure: Failure) -> Self {
        self.failure = Some(Box::new(failure));
        self
    }

    /// A file named by the user that cannot be read.
    pub(crate) fn unreadable(error: &FileError) -> Self {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        let message = format!("{error}{}", cause.unwrap_or_default());
        Self::new(Exit::INVALID_CONFIG, message).help("name a regular file that this account may read")
    }

    /// Problems inside files.
    pub(crate) fn invalid(files: Vec<InvalidFile>) -> Self {
        let problems: usize = files.iter().map(|file| file.problems.len()).sum();
        let plural = if problems == 1 { "" } else { "s" };
        let message = format!("{problems} problem{plural} in the configuration");
        Self {
            files,
            ..Self::new(Exit::INVALID_CONFIG, message)
        }
    }
}

impl fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExpectedError {}

#[cfg(test)]
mod tests {
    use super::{Exit, ExpectedError};
    use anyhow::Context as _;

    #[test]
    fn an_expected_error_keeps_its_code_under_context() {
        let error = Err::<(), _>(ExpectedError::new(Exit::BUSY, "busy"))
            .context("cannot roll")
            .expect_err("an error");
        assert_eq!(Exit::of(&error), Exit::BUSY);
        assert_eq!(Exit::of(&anyhow::anyhow!("a bug")), Exit::FAILED);
    }
}
