//! Why a path is not trusted, and the command that mends it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

/// The component of a path that makes all of it untrusted.
#[derive(Debug, thiserror::Error)]
#[error("{} {why}", path.display())]
pub struct Untrusted {
    /// Which component, without links on the way to it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a component.
#[derive(Debug)]
pub enum Why {
    /// It belongs to another account.
    Owner(u32),
    /// Others can write it; these are the bits of its mode.
    Mode(u32),
    /// It is a link, in a directory where others may make some.
    Link,
    /// Something is mounted there, in a directory of all accounts.
    Mounted,
    /// It is not there, in a directory where others may make it.
    AnyoneMayMake,
    /// It lies where apps and their releases are.
    State,
    /// It cannot be opened.
    Io(io::Error),
}

impl Untrusted {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        Self {
            path,
            why: Why::Io(error),
        }
    }

    /// Whether this is only what the system did not let us see.
    pub fn is_unknown(&self) -> bool {
        matches!(&self.why, Why::Io(_))
    }

    /// What to type, where a command mends it.
    pub fn remedy(&self) -> Option<String> {
        let path = crate::spec::quote_words(&[self.path.to_string_lossy().into_owned()]);
        match self.why {
            Why::Owner(_) => Some(format!("sudo chown -h root:root {path} && sudo chmod go-w {path}")),
            Why::Mode(_) => Some(format!("sudo chmod go-w {path}")),
            _ => None,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(uid) => match User::from_uid(Uid::from_raw(*uid)) {
                Ok(Some(user)) => write!(f, "belongs to {}", user.name),
                _ => write!(f, "belongs to user {uid}"),
            },
            Self::Mode(mode) => write!(f, "can be written by other accounts (mode {mode:04o})"),
            Self::Link => f.write_str("is a link in a directory that other accounts can write"),
            Self::Mounted => f.write_str("is a mount in a directory that other accounts can write"),
            Self::AnyoneMayMake => f.write_str("does not exist, and other accounts may create it"),
            Self::State => f.write_str("is where apps keep their releases and data"),
            Self::Io(error) => write!(f, "cannot be opened: {error}"),
        }
    }
}
