//! Whom the app runs as: found or made, and whether that account can read an app that runs in place.

use std::path::Path;

use appctl::host::accounts;
use appctl::spec::Account;
use appctl::unit::account_name;
use nix::unistd::Gid;

use super::plan::Plan;
use crate::account;
use crate::commands::access;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// Who will read what is installed.
#[derive(Debug)]
pub(super) struct Reader {
    /// Whether the account that the operator named was made just now.
    pub(super) made: bool,
    /// Whether the app's own was.
    pub(super) own_made: bool,
}

/// Finds the account, and makes it when it is missing. A group that was named must be there.
pub(super) fn ensure(context: &Context, plan: &Plan) -> anyhow::Result<Reader> {
    let Account::Named { user, group } = &plan.spec.account else {
        let own_made = !context.layout.is_moved() && account::ensure(&plan.spec.name)?.made;
        return Ok(Reader { made: false, own_made });
    };
    group.as_deref().map(existing_group).transpose()?;
    let made = accounts::user(user)?.is_none();
    if made {
        make(context, plan, user)?;
    }
    let own_made = false;
    Ok(Reader { made, own_made })
}

fn make(context: &Context, plan: &Plan, user: &str) -> anyhow::Result<()> {
    let name = &plan.spec.name;
    accounts::create(user, &context.layout.of(name).data(), &format!("appctl app {name}"))?;
    anyhow::ensure!(
        accounts::user(user)?.is_some(),
        "systemd-sysusers did not create the account {user:?}"
    );
    Ok(())
}

fn existing_group(name: &str) -> anyhow::Result<Gid> {
    let missing = || {
        let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("there is no group {name:?}"));
        error.help("create it with groupadd --system, or leave out --group to use the user's own")
    };
    Ok(accounts::group(name)?.ok_or_else(missing)?)
}

/// The account that will read what is not root's: one that is yet to be made can read what everyone can.
pub(super) fn reader<'u>(user: Option<&'u str>, group: Option<&str>) -> anyhow::Result<(Option<&'u str>, Gid)> {
    let given = group.map(existing_group).transpose()?;
    let ids = user.map(accounts::user).transpose()?.flatten();
    let group = given
        .or(ids.map(|ids| ids.group))
        .unwrap_or(Gid::from_raw(access::NOBODY));
    Ok((user.filter(|_| ids.is_some()), group))
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
    let own = match named {
        None => account::find(&plan.spec.name)?,
        Some(_) => None,
    };
    let Some(directory) = &plan.spec.directory else {
        return Ok(());
    };
    let own_name = account_name(&plan.spec.name);
    let (user, group) = match named {
        None => match own {
            Some(own) => (Some(own_name.as_str()), own.group),
            None => (None, Gid::from_raw(access::NOBODY)),
        },
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
    let who = user.map_or_else(|| "the app's own account".to_owned(), |user| format!("user {user}"));
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
