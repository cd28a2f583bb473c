//! Whom the app runs as: found or made, and whether that account can read an app that runs in place.

use std::path::Path;

use appctl::host::accounts;
use appctl::spec::Account;
use nix::unistd::Gid;

use super::plan::Plan;
use crate::commands::access;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// The group of everything that runs as a transient user.
const SHARED_GROUP: &str = "appctl";

/// Who will read what is installed.
#[derive(Debug)]
pub(super) struct Reader {
    /// Whether the account was made just now.
    pub(super) made: bool,
}

/// Finds the account, and makes it when it is missing. Its group, which releases belong to, must be there.
pub(super) fn ensure(context: &Context, plan: &Plan) -> anyhow::Result<Reader> {
    let Account::Named { user, group } = &plan.spec.account else {
        shared_group()?;
        return Ok(Reader { made: false });
    };
    group.as_deref().map(existing_group).transpose()?;
    let made = accounts::user(user)?.is_none();
    if made {
        make(context, plan, user)?;
    }
    Ok(Reader { made })
}

fn make(context: &Context, plan: &Plan, user: &str) -> anyhow::Result<()> {
    let name = &plan.spec.name;
    accounts::create(user, &context.layout.data(name), &format!("appctl app {name}"))?;
    anyhow::ensure!(
        accounts::user(user)?.is_some(),
        "systemd-sysusers made no account {user:?}"
    );
    Ok(())
}

fn shared_group() -> anyhow::Result<Gid> {
    let missing = || {
        let help = "the package makes it; type: sudo systemd-sysusers, or name an account with --user";
        ExpectedError::new(Exit::FAILED, format!("there is no group {SHARED_GROUP:?}")).help(help)
    };
    Ok(accounts::group(SHARED_GROUP)?.ok_or_else(missing)?)
}

fn existing_group(name: &str) -> anyhow::Result<Gid> {
    let missing = || {
        let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("there is no group {name:?}"));
        error.help("groupadd --system makes one; without --group the user's own is taken")
    };
    Ok(accounts::group(name)?.ok_or_else(missing)?)
}

/// Refuses a group that is not there, and an app in place that its account cannot read, naming the component of the path
/// where it stops. An account that is yet to be made can read what everyone can.
pub(super) fn check(plan: &Plan) -> anyhow::Result<()> {
    let named = match &plan.spec.account {
        Account::Dynamic => None,
        Account::Named { user, group } => Some((user.as_str(), group.as_deref())),
    };
    // Before anything is made: a missing group is refused for copied apps, too.
    let given = named.and_then(|(_, group)| group).map(existing_group).transpose()?;
    let Some(directory) = &plan.spec.directory else {
        return Ok(());
    };
    let (user, group) = match named {
        None => (None, shared_group()?),
        Some((user, _)) => {
            let ids = accounts::user(user)?;
            let group = given.or(ids.map(|ids| ids.group));
            (ids.map(|_| user), group.unwrap_or(Gid::from_raw(access::NOBODY)))
        }
    };
    match access::first_unreadable(user, group, directory)? {
        Some(unreadable) => Err(refusal(&unreadable, named.map(|(name, _)| name), user.is_some()).into()),
        None => Ok(()),
    }
}

fn refusal(unreadable: &Path, user: Option<&str>, exists: bool) -> ExpectedError {
    let who = user.map_or_else(|| "a transient user".to_owned(), |user| format!("user {user}"));
    let path = unreadable.display();
    let grant = match user.filter(|_| exists) {
        Some(user) => format!("setfacl -m u:{user}:rX {path}"),
        None => format!("chmod o+rX {path}"),
    };
    let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("{who} cannot read {path}"));
    error.help(format!(
        "{grant}; or leave out --in-place, and the directory is copied to where {who} can read it"
    ))
}
