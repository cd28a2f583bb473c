//! Releases that did not come up, or did not stay up: `about/ID.bad`, a line that says why. A rollback passes them over,
//! and they are not deployed again by mistake.

use super::files::{self, FileError};
use crate::release::{AppPaths, ReleaseId};

/// Remembers that a release failed, and why, durably.
pub fn mark(paths: AppPaths<'_>, id: &ReleaseId, why: &str) -> Result<(), FileError> {
    files::write_atomic(&paths.bad_file(id), &format!("{}\n", why.replace('\n', " ")))
}

/// It has proven itself after all.
pub fn clear(paths: AppPaths<'_>, id: &ReleaseId) -> Result<(), FileError> {
    files::remove(&paths.bad_file(id)).map(drop)
}

/// Why a release failed; `None` when it did not, or was never tried.
pub fn why(paths: AppPaths<'_>, id: &ReleaseId) -> Result<Option<String>, FileError> {
    let text = files::read_config_if_any(&paths.bad_file(id))?;
    Ok(text.map(|text| text.trim_end().to_owned()))
}
