//! Whose rights a source is read with.

use std::path::Path;

use appctl::host::tree::TreeError;
use appctl::spec::quote_words;
use nix::unistd::{Uid, User, geteuid};

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::step_down::Account;

/// Who typed the command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Person {
    /// Root, and no person behind it.
    Root,
    /// A person behind sudo(8).
    Behind(Account),
    /// This process is not root, or its tree is moved: it is who it is.
    Same(u32),
}

impl Person {
    /// As sudo(8) says.
    pub(crate) fn of(context: &Context) -> anyhow::Result<Self> {
        if context.layout.is_moved() || !geteuid().is_root() {
            return Ok(Self::Same(geteuid().as_raw()));
        }
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u32>());
        let (uid, gid) = match (number("SUDO_UID"), number("SUDO_GID")) {
            (None | Some(Ok(0)), _) => return Ok(Self::Root),
            (Some(Ok(uid)), gid) => (uid, gid.and_then(Result::ok)),
            (Some(Err(_)), _) => return Err(unknown()),
        };
        let user = User::from_uid(Uid::from_raw(uid))?;
        let gid = user.map(|user| user.gid.as_raw()).or(gid);
        Ok(Self::Behind(Account {
            uid: Some(uid),
            gid: Some(gid.ok_or_else(unknown)?),
        }))
    }

    /// Whom a process has to become first.
    pub(crate) fn account(self) -> Option<Account> {
        match self {
            Self::Behind(account) => Some(account),
            Self::Root | Self::Same(_) => None,
        }
    }

    /// Whose links are followed.
    pub(crate) fn uid(self) -> Option<u32> {
        match self {
            Self::Root => None,
            Self::Behind(account) => account.uid,
            Self::Same(uid) => Some(uid),
        }
    }

    /// What may not be read as the person may be root's to read.
    pub(crate) fn explain(self, path: &Path, error: anyhow::Error) -> anyhow::Error {
        let denied = matches!(
            error.downcast_ref(),
            Some(TreeError::Io { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied
        );
        if !denied {
            return error;
        }
        let message = format!("{} cannot be read: Permission denied", path.display());
        let expected = ExpectedError::new(Exit::INVALID_CONFIG, message);
        let Some(uid) = self.account().and_then(|account| account.uid) else {
            return expected
                .help("it is read with the rights of its owner; give that account the right to read it")
                .into();
        };
        let name = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let name = name.map_or_else(|| uid.to_string(), |user| user.name);
        let words: Vec<String> = std::env::args().skip(1).collect();
        let again = quote_words(&words);
        let help = format!(
            "it is read with the rights of {name}; to read it as root, type: sudo env -u SUDO_UID appctl {again}"
        );
        expected.help(help).into()
    }
}

fn unknown() -> anyhow::Error {
    let error = ExpectedError::new(Exit::NOT_PERMITTED, "SUDO_UID and SUDO_GID name no account");
    error.help("type: sudo appctl …").into()
}
