//! Whom the app runs as: found or made, and whether that account can read an app that runs in place.

use std::path::Path;

use appctl::host::accounts::{self, Ids};
use appctl::spec::Account;
use nix::unistd::Gid;

use super::plan::Plan;
use crate::commands::access;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// The group of everything that runs as a transient user.
const SHARED_GROUP: &str = "appctl";

/// Who will read the release.
#[derive(Debug)]
pub(super) struct Reader {
    /// The user's name, when it has one before it runs.
    pub(super) user: Option<String>,
    /// The group that releases belong to.
    pub(super) group: Gid,
    /// Whether the account was made just now.
    pub(super) made: bool,
}

/// Finds the account, and makes it when it is missing.
pub(super) fn ensure(context: &Context, plan: &Plan) -> anyhow::Result<Reader> {
    let Account::Named { user, group } = &plan.spec.account else {
        return Ok(Reader {
            user: None,
            group: shared_group()?,
            made: false,
        });
    };
    let named_group = group.as_deref().map(existing_group).transpose()?;
    let (ids, made) = match accounts::user(user)? {
        Some(ids) => (ids, false),
        None => (make(context, plan, user)?, true),
    };
    Ok(Reader {
        user: Some(user.clone()),
        group: named_group.unwrap_or(ids.group),
        made,
    })
}

fn make(context: &Context, plan: &Plan, user: &str) -> anyhow::Result<Ids> {
    let name = &plan.spec.name;
    accounts::create(user, &context.layout.data(name), &format!("appctl app {name}"))?;
    accounts::user(user)?.ok_or_else(|| anyhow::anyhow!("systemd-sysusers made no account {user:?}"))
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

/// Refuses an app in place that its account cannot read, and names the component of the path where it stops.
pub(super) fn check_access(plan: &Plan, reader: &Reader) -> anyhow::Result<()> {
    let Some(directory) = &plan.spec.directory else {
        return Ok(());
    };
    let Some(unreadable) = access::first_unreadable(reader.user.as_deref(), reader.group, directory)? else {
        return Ok(());
    };
    Err(refusal(&unreadable, reader).into())
}

fn refusal(unreadable: &Path, reader: &Reader) -> ExpectedError {
    let (who, grant) = match &reader.user {
        Some(user) => (
            format!("user {user}"),
            format!("setfacl -m u:{user}:rX {}", unreadable.display()),
        ),
        None => (
            "a transient user".to_owned(),
            format!("chmod o+rX {}", unreadable.display()),
        ),
    };
    let error = ExpectedError::new(
        Exit::INVALID_CONFIG,
        format!("{who} cannot read {}", unreadable.display()),
    );
    error.help(format!(
        "{grant}; or leave out --in-place, and the directory is copied to where {who} can read it"
    ))
}
