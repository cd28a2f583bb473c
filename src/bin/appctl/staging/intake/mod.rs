//! The source as an open directory, whatever it was before. Nothing of it is trusted yet.

use std::path::Path;
use std::sync::Arc;

use appctl::host::source::Ask;
use appctl::host::tree::TreeError;
use appctl::release::Sort;

use super::partial::Partial;
use super::site::Site;
use super::{Progress, Source, explain};
use crate::reading::Reader;

mod directory;
mod git;
mod tarball;

pub(super) use directory::notes;

/// A source, ready to be copied.
#[derive(Debug)]
pub(super) struct Intake {
    /// Who reads it.
    pub(super) reader: Arc<Reader>,
    /// What is taken of it.
    pub(super) walk: Ask,
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

/// Nothing is left out but `.git`.
pub(super) const ALL: Ask = Ask::Walk(false, false);

impl Intake {
    /// A directory as it is.
    pub(super) fn of(kind: Sort, reader: Arc<Reader>) -> Self {
        Self {
            source: reader.path().display().to_string(),
            reader,
            walk: ALL,
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
        Source::Path(path) => {
            let opened = Reader::open(site.context, path, site.bounds().bytes);
            let reader = opened.map_err(|error| unopened(path, error))?;
            if reader.file().is_some() {
                tarball::file(site, reader, tell).await
            } else {
                directory::take(site, reader, tell)
            }
        }
        Source::Stdin => tarball::stdin(site, tell).await,
        Source::Git { url, reference } => git::take(site, url, reference, tell).await,
    }
}

/// A path that is no source.
fn unopened(path: &Path, error: anyhow::Error) -> anyhow::Error {
    let help = "name a directory, or a tar archive: plain, or compressed with gzip or zstd";
    let why = match error.downcast_ref() {
        Some(TreeError::Io { source, .. }) => format!("cannot be read: {source}"),
        Some(TreeError::Special { .. }) => "is neither a directory nor a regular file".to_owned(),
        _ => return error,
    };
    explain::source(format!("{} {why}", path.display()), help)
}
