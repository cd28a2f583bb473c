//! Makes a sealed release from a directory: copied beside the others under a name that is none, then renamed.

use std::path::Path;

use appctl::host::files::{self, FileError};
use appctl::host::tree::{self, Bounds, Owner, TreeError};
use appctl::release::{Layout, ReleaseId};
use appctl::spec::AppName;
use jiff::Timestamp;
use nix::unistd::{Gid, Uid};

use crate::exit::{Exit, ExpectedError};

/// More than any app has: a home directory or a disk that was named by mistake is noticed before it fills another.
const BOUNDS: Bounds = Bounds {
    entries: 1_000_000,
    bytes: 16 << 30,
};

/// Of no use to a running app, and possibly full of secrets.
const SKIPPED: [&str; 1] = [".git"];

/// Copies `from` into a new release that `group` may read, and nobody but root may change.
pub(crate) fn create(layout: &Layout, app: &AppName, from: &Path, owner: Uid, group: Gid) -> anyhow::Result<ReleaseId> {
    let folder = layout.releases(app);
    refuse_itself(from, &layout.all_state())?;
    std::fs::create_dir_all(&folder).map_err(FileError::io("make", &folder))?;
    remove_partial(&folder)?;
    let id = free_id(layout, app)?;
    let partial = folder.join(format!(".{id}"));
    let owner = Owner { user: owner, group };
    let copied = tree::copy(from, &partial, Some(owner), BOUNDS, &SKIPPED);
    let kept = copied.map_err(explained).and_then(|_| {
        let release = layout.release(app, &id);
        std::fs::rename(&partial, &release).map_err(FileError::io("make", &release))?;
        files::sync(&folder).map_err(FileError::io("flush", &folder))?;
        Ok(id)
    });
    if kept.is_err() {
        tree::remove(&partial)?;
    }
    kept
}

/// A copy of what holds the copy has no end.
fn refuse_itself(from: &Path, state: &Path) -> Result<(), ExpectedError> {
    if !state.starts_with(from) {
        return Ok(());
    }
    let message = format!("{} holds the releases of all apps", from.display());
    Err(ExpectedError::new(Exit::INVALID_CONFIG, message).help("name the app's own directory"))
}

/// What a copy that was killed left behind. The caller holds the app's lock, so no other copy is under way.
fn remove_partial(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)
        .map_err(FileError::io("list", folder))?
        .flatten()
    {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            tree::remove(&entry.path())?;
        }
    }
    Ok(())
}

fn free_id(layout: &Layout, app: &AppName) -> anyhow::Result<ReleaseId> {
    let mut id: ReleaseId = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string().parse()?;
    while layout.release(app, &id).exists() {
        id = id.next();
    }
    Ok(id)
}

fn explained(error: TreeError) -> anyhow::Error {
    let help = match &error {
        TreeError::Io { .. } => return error.into(),
        TreeError::Escapes { .. } => {
            "replace the link with what it points to, or run the directory where it is: --in-place"
        }
        TreeError::Special { .. } => "remove it, or run the directory where it is: --in-place",
        TreeError::TooMuch { .. } => "name the app's own directory, or run it where it is: --in-place",
    };
    ExpectedError::new(Exit::INVALID_CONFIG, error.to_string())
        .help(help)
        .into()
}
