//! System accounts: looked up through getpwnam(3), made by systemd-sysusers(8), which records and numbers them as the
//! distribution wants.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Group, Uid, User};

use super::session;
use crate::observe::accounts as passwd;

/// An account that cannot be found or made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The user database did not answer.
    #[error("cannot look up {0:?}")]
    Lookup(String, #[source] nix::Error),
    /// A program could not be started.
    #[error("cannot run {0}")]
    Spawn(&'static str, #[source] io::Error),
    /// A program refused.
    #[error("cannot create or change the account {user:?}: {said}")]
    Refused {
        /// The account.
        user: String,
        /// What it said.
        said: String,
    },
    /// The name has another purpose.
    #[error("the account {0} was not made by appctl")]
    Foreign(String),
}

impl AccountError {
    fn refused(user: &str, said: &impl ToString) -> Self {
        let (user, said) = (user.to_owned(), said.to_string());
        Self::Refused { user, said }
    }
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
    sysusers(
        name,
        &[&format!(
            "u {name} - \"{comment}\" {} /usr/sbin/nologin",
            home.display()
        )],
    )
}

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// A system account of this machine for one purpose, which its comment says.
#[derive(Debug, Clone)]
pub struct Own {
    /// Its name, and that of its group.
    pub name: String,
    /// What it is for.
    pub comment: String,
}

impl Own {
    /// Its numbers; `None` when it is not there. A transient user of that name does not count.
    pub fn find(&self) -> Result<Option<Ids>, AccountError> {
        let Some(entry) = passwd::user(&read(PASSWD)?, &self.name) else {
            return Ok(None);
        };
        // A person, or a program that was here before, may have the same name.
        if entry.comment != self.comment || entry.user == 0 {
            return Err(AccountError::Foreign(self.name.clone()));
        }
        Ok(Some(Ids {
            user: Uid::from_raw(entry.user),
            group: Gid::from_raw(entry.group),
        }))
    }

    /// Makes it. It is listed as a member of its own group as well: processes that systemd starts while others still run
    /// as a transient user of that name have that user's numbers, and get this group by the name only.
    pub fn make(&self) -> Result<Ids, AccountError> {
        let Self { name, comment } = self;
        sysusers(
            name,
            &[&format!("u {name} - \"{comment}\""), &format!("m {name} {name}")],
        )?;
        let made = self.find()?;
        made.ok_or_else(|| AccountError::refused(name, &"it is not in /etc/passwd"))
    }

    /// Removes it and its group.
    pub fn remove(&self) -> Result<(), AccountError> {
        if self.find()?.is_none() {
            return Ok(());
        }
        run(&self.name, "userdel", &[&self.name])?;
        // userdel(8) leaves the group where login.defs(5) says so.
        if passwd::is_there(&read(GROUP)?, &self.name) {
            run(&self.name, "groupdel", &[&self.name])?;
        }
        Ok(())
    }

    /// Whether it is listed as a member of a group.
    pub fn is_in(&self, group: &str) -> Result<bool, AccountError> {
        Ok(passwd::is_member(&read(GROUP)?, group, &self.name))
    }

    /// Lists it as a member of a group that is there.
    pub fn join(&self, group: &str) -> Result<(), AccountError> {
        sysusers(&self.name, &[&format!("m {} {group}", self.name)])
    }

    /// Takes it from that list.
    pub fn leave(&self, group: &str) -> Result<(), AccountError> {
        run(&self.name, "gpasswd", &["--delete", &self.name, group])
    }
}

fn read(file: &str) -> Result<String, AccountError> {
    std::fs::read_to_string(file).map_err(|error| AccountError::refused(file, &error))
}

fn sysusers(user: &str, lines: &[&str]) -> Result<(), AccountError> {
    run(user, "systemd-sysusers", &[&["--inline"], lines].concat())
}

fn run(user: &str, program: &'static str, arguments: &[&str]) -> Result<(), AccountError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        // Otherwise systemd-sysusers(8) takes a transient user of the same name for one that is there already.
        .env("SYSTEMD_NSS_DYNAMIC_BYPASS", "1")
        .stdin(Stdio::null());
    let output = session::isolate(&mut command).output();
    let output = output.map_err(|error| AccountError::Spawn(program, error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(AccountError::refused(user, &format!("{program}: {}", said.trim())))
}
