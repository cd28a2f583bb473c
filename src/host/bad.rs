//! Releases that did not come up, or did not stay up: `about/ID.bad`, a line that says why. A rollback passes them over,
//! and they are not deployed again by mistake.

use super::files::{self, FileError};
use crate::release::{Layout, ReleaseId};
use crate::spec::AppName;

/// Remembers that a release failed, and why, durably.
pub fn mark(layout: &Layout, app: &AppName, id: &ReleaseId, why: &str) -> Result<(), FileError> {
    files::write_atomic(&layout.bad_file(app, id), &format!("{}\n", why.replace('\n', " ")))
}

/// It has proven itself after all.
pub fn clear(layout: &Layout, app: &AppName, id: &ReleaseId) -> Result<(), FileError> {
    files::remove(&layout.bad_file(app, id)).map(drop)
}

/// Why a release failed; `None` when it did not, or was never tried.
pub fn why(layout: &Layout, app: &AppName, id: &ReleaseId) -> Result<Option<String>, FileError> {
    let text = files::read_config_if_any(&layout.bad_file(app, id))?;
    Ok(text.map(|text| text.trim_end().to_owned()))
}
