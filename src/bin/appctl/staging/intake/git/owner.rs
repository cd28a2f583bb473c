//! Whom git runs as: the person behind sudo(8), with their keys and their agent; for root, the account in whose hands a
//! repository on this machine is, whose configuration git reads. Root's own git reads what root alone can change.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use appctl::host::source::{Located, PathError, locate};
use appctl::spec::quote_words;
use nix::unistd::Uid;

use super::remote::Remote;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::reading::Person;
use crate::step_down::Account;

/// git's own account.
pub(super) fn account(context: &Context, remote: &Remote) -> anyhow::Result<Account> {
    let person = Person::of(context)?;
    let none = Account { uid: None, gid: None };
    let Some(path) = remote.path() else {
        return Ok(person.account().unwrap_or(none));
    };
    match person {
        Person::Same(_) => Ok(none),
        Person::Behind(account) => {
            let located = locate(&path, account.uid.map(Uid::from_raw)).map_err(|error| refused(&error))?;
            refuse_shared(&located, account)?;
            Ok(account)
        }
        Person::Root => {
            let located = locate(&path, None).map_err(|error| refused(&error))?;
            if let Some((uid, gid)) = located.account {
                return Ok(Account {
                    uid: Some(uid),
                    gid: Some(gid),
                });
            }
            refuse_foreign(&located.path)?;
            Ok(none)
        }
    }
}

fn refused(error: &PathError) -> ExpectedError {
    let (exit, help) = match error {
        PathError::Io { .. } => (Exit::INVALID_CONFIG, "name a repository that exists".to_owned()),
        PathError::RootsLink(path) => {
            let path = quote_words(&[path.display().to_string()]);
            (
                Exit::USAGE,
                format!("name the path it points to, which realpath {path} prints"),
            )
        }
        PathError::Writable(path) => {
            let path = quote_words(&[path.display().to_string()]);
            (Exit::USAGE, format!("type: chmod go-w {path}"))
        }
        PathError::Link(_) | PathError::Planted(_) => (Exit::USAGE, "name the path it points to".to_owned()),
    };
    ExpectedError::new(exit, error.to_string()).help(help)
}

/// git follows the path once more, with the person's rights, and another account could lead it elsewhere meanwhile.
fn refuse_shared(located: &Located, account: Account) -> Result<(), ExpectedError> {
    if !located.shared {
        return Ok(());
    }
    let message = format!("{} is controlled by another account", located.path.display());
    let words: Vec<String> = std::env::args().skip(1).collect();
    let help = match account.uid {
        Some(uid) => format!(
            "git would do, with the rights of user {uid}, what that account chooses; to read it with that account's \
                rights, type: sudo env -u SUDO_UID appctl {}",
            quote_words(&words)
        ),
        None => "name a repository of your own".to_owned(),
    };
    Err(ExpectedError::new(Exit::USAGE, message).help(help))
}

/// A repository of root's with parts that others can change may point to objects that are none of theirs.
fn refuse_foreign(repository: &Path) -> anyhow::Result<()> {
    let inner = repository.join(".git");
    let top = if inner.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        inner
    } else {
        repository.to_owned()
    };
    let mut open: Vec<PathBuf> = vec![top];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let writable = !metadata.is_symlink() && metadata.mode() & 0o022 != 0;
            if metadata.uid() != 0 || writable {
                let message = format!(
                    "other accounts can change {}, and root would read it",
                    entry.path().display()
                );
                let path = quote_words(&[repository.display().to_string()]);
                let help = format!("type: chown -R root: {path} && chmod -R go-w {path}");
                return Err(ExpectedError::new(Exit::USAGE, message).help(help).into());
            }
            if metadata.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}
