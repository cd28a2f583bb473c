//! Everything an app has on the disk, for `uninstall --purge`: looked at before anything is stopped, so that what cannot be
//! removed keeps all of it, and says so.

use std::path::{Path, PathBuf};

use appctl::host::mounts;
use appctl::host::tree::{self, TreeError};
use appctl::observe::mounts::{Mount, at_or_below, under};
use appctl::release::AppPaths;
use appctl::spec::{AppName, quote_words};

use crate::exit::{Exit, ExpectedError};

/// Releases and data, and what systemd keeps for a transient account.
fn places(paths: AppPaths<'_>) -> [PathBuf; 2] {
    [paths.state(), paths.private_state()]
}

/// Whether an app left anything, variables included: one that is not installed any more may have.
pub(crate) fn remains(paths: AppPaths<'_>) -> Result<bool, TreeError> {
    for place in places(paths) {
        if tree::remains(&place)? {
            return Ok(true);
        }
    }
    Ok(paths.env_file().exists())
}

/// Refuses what could not be removed whole. A file system that is mounted there is not the app's to lose.
pub(crate) fn refuse_incomplete(paths: AppPaths<'_>) -> anyhow::Result<()> {
    let (app, mounts) = (paths.app(), mounts::read()?);
    for place in places(paths) {
        let Some(place) = real(&place) else { continue };
        let points: Vec<&Mount> = at_or_below(&mounts, &place).collect();
        if let Some(first) = points.first() {
            let all: Vec<String> = points.iter().map(|mount| mount.point.display().to_string()).collect();
            let message = format!("{app} cannot be removed completely: mount point {}", all.join(", "));
            let umount = typed(&["umount"], &first.point);
            let help = format!("nothing was changed; to unmount it, which keeps its content: {umount}");
            return Err(ExpectedError::new(Exit::FAILED, message).help(help).into());
        }
        if let Some(mount) = under(&mounts, &place).filter(|mount| mount.read_only) {
            let message = format!(
                "{} is on a read-only file system, mounted at {}",
                place.display(),
                mount.point.display()
            );
            return Err(ExpectedError::new(Exit::FAILED, message)
                .help("nothing was changed")
                .into());
        }
        refuse_kept(&place, app)?;
    }
    Ok(())
}

fn refuse_kept(place: &Path, app: &AppName) -> anyhow::Result<()> {
    let Some((path, flag)) = tree::kept(place)? else {
        return Ok(());
    };
    let message = format!("{app} cannot be removed completely: {} is {flag}", path.display());
    let chattr = typed(&["chattr", flag.off()], &path);
    let help = format!("nothing was changed; to make it removable: {chattr}");
    Err(ExpectedError::new(Exit::FAILED, message).help(help).into())
}

/// A command on a path, as it can be pasted.
fn typed(command: &[&str], path: &Path) -> String {
    quote_words(&[command, &[&path.to_string_lossy()]].concat())
}

/// Removes all of it.
pub(crate) fn remove(paths: AppPaths<'_>) -> anyhow::Result<()> {
    for place in places(paths) {
        tree::remove(&place).map_err(|error| unfinished(error, paths.app()))?;
    }
    Ok(())
}

fn unfinished(error: TreeError, app: &AppName) -> anyhow::Error {
    let first = match &error {
        TreeError::Growing { .. } => "end the processes of its account".to_owned(),
        TreeError::MountPoint { path } => typed(&["umount"], path),
        TreeError::Kept { path, flag } => typed(&["chattr", flag.off()], path),
        _ => return error.into(),
    };
    let help = format!("{first}, then: sudo appctl uninstall {app} --purge --yes");
    ExpectedError::new(Exit::FAILED, error.to_string()).help(help).into()
}

/// As the kernel lists it: without links on the way, but for the last name. `None` where there is nothing.
fn real(path: &Path) -> Option<PathBuf> {
    let there = path.symlink_metadata().is_ok();
    let folder = path.parent()?.canonicalize().ok()?;
    there.then(|| folder.join(path.file_name().unwrap_or_default()))
}
