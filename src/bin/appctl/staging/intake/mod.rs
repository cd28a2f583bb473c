//! The source as a directory of this machine, whatever it was before. Nothing of it is trusted yet.

use std::path::PathBuf;

use appctl::host::tree::Ignore;
use appctl::release::Sort;

use super::partial::Partial;
use super::site::Site;
use super::{Progress, Source};

mod directory;
mod git;
mod tarball;

pub(super) use directory::notes;

/// A source, ready to be copied.
#[derive(Debug)]
pub(super) struct Intake {
    /// Where it is.
    pub(super) directory: PathBuf,
    /// What is left out.
    pub(super) ignore: Ignore,
    /// What sort of source it is.
    pub(super) kind: Sort,
    /// Its name.
    pub(super) source: String,
    /// What was asked for.
    pub(super) reference: Option<String>,
    /// The commit.
    pub(super) commit: Option<String>,
    /// What was unpacked for this release only.
    pub(super) _unpacked: Option<Partial>,
}

impl Intake {
    /// A directory as it is.
    pub(super) fn of(kind: Sort, directory: PathBuf) -> Self {
        Self {
            source: directory.display().to_string(),
            directory,
            ignore: Ignore::nothing(),
            kind,
            reference: None,
            commit: None,
            _unpacked: None,
        }
    }
}

/// Fetches or unpacks a source.
pub(super) async fn take(site: &Site<'_>, source: &Source, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    match source {
        Source::Directory(path) => directory::take(site, path, tell),
        Source::Tarball(path) => tarball::file(site, path, tell).await,
        Source::Stdin => tarball::stdin(site, tell).await,
        Source::Git { url, reference } => git::take(site, url, reference, tell).await,
    }
}
