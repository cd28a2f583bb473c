//! The account of an app that names no user. It is the app's alone, and so is its group, which the app's releases belong
//! to: no app reads another's. Units name it in `User=`; systemd would make a transient user of that name without it.

use appctl::host::accounts::{AccountError, Own};
use appctl::host::tree::{self, Owner};
use appctl::host::{cgroupfs, releases};
use appctl::observe::accounts::groups_of_process;
use appctl::release::AppPaths;
use appctl::spec::{Account, AppName, AppSpec};
use appctl::unit::account_name;
use nix::unistd::Gid;

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::units;

/// What the package renames the group to that releases of all apps belonged to once.
const GROUP_OF_ALL: &str = "appctl-legacy";

/// An account that is there now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ensured {
    /// Its numbers.
    pub(crate) owner: Owner,
    /// Whether it was made just now.
    pub(crate) made: bool,
}

/// Finds the app's own account, or makes it.
pub(crate) fn ensure(app: &AppName) -> anyhow::Result<Ensured> {
    with(app, |own| {
        let found = own.find()?;
        let made = found.is_none();
        let ids = found.map_or_else(|| own.make(), Ok)?;
        let owner = Owner {
            user: ids.user,
            group: ids.group,
        };
        Ok(Ensured { owner, made })
    })
}

/// The same, for an app that needs one.
pub(crate) fn ensure_for(context: &Context, spec: &AppSpec) -> anyhow::Result<()> {
    if spec.account == Account::Dynamic && !context.layout.is_moved() {
        ensure(&spec.name)?;
    }
    Ok(())
}

/// The app's own account, if it is there.
pub(crate) fn find(app: &AppName) -> anyhow::Result<Option<Owner>> {
    with(app, |own| {
        let found = own.find()?;
        Ok(found.map(|ids| Owner {
            user: ids.user,
            group: ids.group,
        }))
    })
}

/// Removes it. Nothing of the app runs any more, and nothing is left that could be its own.
pub(crate) fn remove(app: &AppName) -> anyhow::Result<()> {
    with(app, Own::remove)
}

/// Gives the releases that belong to another group to `group`: of an app that was renamed, or was made when all apps had
/// one group. Not before all of its processes are in that group; they go on reading meanwhile.
pub(crate) fn adopt(paths: AppPaths<'_>, group: Gid) -> anyhow::Result<()> {
    let mut others = Vec::new();
    for id in releases::list(paths)? {
        let release = paths.release(&id);
        if tree::group(&release)? != group {
            others.push(release);
        }
    }
    let app = paths.app();
    let processes = cgroupfs::processes(&units::slice_path(app));
    if !processes.into_iter().all(|pid| is_in(pid, group)) {
        return Ok(());
    }
    for release in others {
        tree::give_to_group(&release, group)?;
    }
    with(app, |own| {
        if own.is_in(GROUP_OF_ALL)? {
            own.leave(GROUP_OF_ALL)
        } else {
            Ok(())
        }
    })
}

/// The same, for an app that has an account of its own.
pub(crate) fn adopt_for(context: &Context, spec: &AppSpec) -> anyhow::Result<()> {
    if spec.account != Account::Dynamic || context.layout.is_moved() {
        return Ok(());
    }
    match find(&spec.name)? {
        Some(own) => adopt(context.layout.of(&spec.name), own.group),
        None => Ok(()),
    }
}

/// Lets an app that was made when all apps had one group read its releases, now that it has a group of its own.
pub(crate) fn move_out(paths: AppPaths<'_>, spec: &AppSpec) -> anyhow::Result<()> {
    if spec.account != Account::Dynamic {
        return Ok(());
    }
    let app = paths.app();
    let group = ensure(app)?.owner.group;
    with(app, |own| own.join(GROUP_OF_ALL))?;
    adopt(paths, group)
}

/// One that has ended meanwhile is in no group that matters.
fn is_in(pid: u32, group: Gid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.map_or(true, |status| groups_of_process(&status).contains(&group.as_raw()))
}

fn with<T>(app: &AppName, work: impl FnOnce(&Own) -> Result<T, AccountError>) -> anyhow::Result<T> {
    let own = Own {
        name: account_name(app),
        comment: format!("appctl app {app}"),
    };
    match work(&own) {
        Err(error @ AccountError::Foreign(_)) => {
            let help = format!("give the app another name, or name an account in its file: user = \"{app}\"");
            Err(ExpectedError::new(Exit::INVALID_CONFIG, error.to_string())
                .help(help)
                .into())
        }
        other => Ok(other?),
    }
}
