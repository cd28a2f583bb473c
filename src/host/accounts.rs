//! System accounts: looked up through getpwnam(3), made by systemd-sysusers(8), which records and numbers them as the
//! distribution wants.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Group, Uid, User};

use super::session;

/// An account that cannot be found or made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The user database did not answer.
    #[error("cannot look up {0:?}")]
    Lookup(String, #[source] nix::Error),
    /// The program could not be started.
    #[error("cannot run systemd-sysusers")]
    Spawn(#[source] io::Error),
    /// The program refused.
    #[error("systemd-sysusers made no account {user:?}: {said}")]
    Refused {
        /// The account.
        user: String,
        /// What it said.
        said: String,
    },
}

/// Numbers of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// User.
    pub user: Uid,
    /// Primary group.
    pub group: Gid,
}

/// An account by name.
pub fn user(name: &str) -> Result<Option<Ids>, AccountError> {
    let found = User::from_name(name).map_err(|errno| AccountError::Lookup(name.to_owned(), errno))?;
    Ok(found.map(|user| Ids {
        user: user.uid,
        group: user.gid,
    }))
}

/// A group by name.
pub fn group(name: &str) -> Result<Option<Gid>, AccountError> {
    let found = Group::from_name(name).map_err(|errno| AccountError::Lookup(name.to_owned(), errno))?;
    Ok(found.map(|group| group.gid))
}

/// Makes a system account without a password and without a shell. The caller has checked the name; a comment has no colon.
pub fn create(name: &str, home: &Path, comment: &str) -> Result<(), AccountError> {
    let line = format!("u {name} - \"{comment}\" {} /usr/sbin/nologin", home.display());
    let mut command = Command::new("systemd-sysusers");
    command.arg("--inline").arg(line).stdin(Stdio::null());
    let output = session::isolate(&mut command).output().map_err(AccountError::Spawn)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(AccountError::Refused {
        user: name.to_owned(),
        said,
    })
}
