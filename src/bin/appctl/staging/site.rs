//! Where a release is made and whose it will be; what an earlier attempt left there goes first.

use std::path::PathBuf;

use appctl::host::files::FileError;
use appctl::host::tree::{Bounds, Owner};
use appctl::host::{accounts, releases};
use appctl::release::{AppPaths, Origin, ReleaseId};
use appctl::spec::{Account, AppName, AppSpec};
use jiff::Timestamp;
use nix::unistd::Uid;

use super::Staged;
use super::intake::Intake;
use crate::account;
use crate::clear::clear;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// An app's place for releases.
#[derive(Debug)]
pub(super) struct Site<'c> {
    pub(super) context: &'c Context,
    pub(super) spec: &'c AppSpec,
    /// Whose releases are: root's, for the app's group. `None` in a moved tree.
    pub(super) owner: Option<Owner>,
    /// The app's account; `None` in a moved tree.
    pub(super) account: Option<Owner>,
}

impl<'c> Site<'c> {
    /// Looks up accounts, makes directories, removes what a killed attempt left.
    pub(super) fn prepare(context: &'c Context, spec: &'c AppSpec) -> anyhow::Result<Self> {
        let account = account(context, spec)?;
        let this = Self {
            context,
            spec,
            owner: account.map(|account| Owner {
                user: Uid::from_raw(0),
                group: account.group,
            }),
            account,
        };
        for folder in [this.paths().releases(), this.paths().about()] {
            std::fs::create_dir_all(&folder).map_err(FileError::io("create", &folder))?;
        }
        this.sweep()?;
        if let Some(account) = account {
            account::adopt(this.paths(), account.group)?;
        }
        Ok(this)
    }

    /// The app's files.
    pub(super) fn paths(&self) -> AppPaths<'c> {
        self.context.layout.of(&self.spec.name)
    }

    pub(super) fn app(&self) -> &'c AppName {
        &self.spec.name
    }

    /// The most that a release may hold.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            entries: self.spec.deploy.max_files,
            bytes: self.spec.deploy.max_size,
        }
    }

    /// Where things are built: as the build sees it, and where systemd keeps that of a transient user.
    pub(super) fn build(&self) -> [PathBuf; 2] {
        let paths = self.paths();
        [paths.build(), paths.private_state().join("build")]
    }

    fn sweep(&self) -> anyhow::Result<()> {
        let paths = self.paths();
        let folder = paths.releases();
        for name in releases::names(&folder)?.iter().filter(|name| name.starts_with('.')) {
            clear(&folder.join(name))?;
        }
        let there = releases::list(paths)?;
        for name in releases::names(&paths.about())? {
            let id = name.split('.').next().and_then(|id| id.parse().ok());
            if !id.is_some_and(|id| there.contains(&id)) {
                clear(&paths.about().join(name))?;
            }
        }
        for path in self.build().into_iter().chain([paths.intake()]) {
            clear(&path)?;
        }
        Ok(())
    }

    /// The name of the next release.
    pub(super) fn next_id(&self, commit: Option<&str>) -> anyhow::Result<ReleaseId> {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let latest = releases::list(self.paths())?.pop();
        Ok(ReleaseId::following(&stamp, commit, latest.as_ref())?)
    }

    /// The release whose files the next one shares: the live one, else the newest.
    pub(super) fn before(&self) -> anyhow::Result<Option<ReleaseId>> {
        let there = releases::list(self.paths())?;
        let live = releases::live(self.paths()).filter(|id| there.contains(id));
        Ok(live.or_else(|| there.last().cloned()))
    }

    /// The newest release whose origin is like this.
    pub(super) fn find(&self, like: impl Fn(&Origin) -> bool) -> anyhow::Result<Option<Staged>> {
        for id in releases::list(self.paths())?.into_iter().rev() {
            if let Some(origin) = releases::origin(self.paths(), &id)?.filter(&like) {
                let existing = true;
                return Ok(Some(Staged { id, origin, existing }));
            }
        }
        Ok(None)
    }

    /// A release of the same commit, built the same way.
    pub(super) fn same_commit(&self, intake: &Intake) -> anyhow::Result<Option<Staged>> {
        let Some(commit) = &intake.commit else { return Ok(None) };
        let recipe = super::seal::recipe(self.spec);
        self.find(|origin| origin.commit.as_ref() == Some(commit) && origin.recipe == recipe)
    }
}

fn account(context: &Context, spec: &AppSpec) -> anyhow::Result<Option<Owner>> {
    if context.layout.is_moved() {
        return Ok(None);
    }
    let Account::Named { user, group } = &spec.account else {
        return Ok(Some(account::ensure(&spec.name)?.owner));
    };
    let missing = |what: &str, name: &str| {
        let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("there is no {what} {name:?}"));
        error.help("`user` and `group` in the app's file must exist on this machine")
    };
    let ids = accounts::user(user)?.ok_or_else(|| missing("user", user))?;
    let group = match group {
        Some(group) => accounts::group(group)?.ok_or_else(|| missing("group", group))?,
        None => ids.group,
    };
    let user = ids.user;
    Ok(Some(Owner { user, group }))
}
