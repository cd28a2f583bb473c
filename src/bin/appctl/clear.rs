//! Removal that stops nothing: what an app's processes keep from being removed is out of the way, and goes next time.

use std::path::Path;

use appctl::host::tree::{self, TreeError};

use crate::ui::warn;

/// Frees a name, and warns when something of what was there is left under another one. An error says that it still is there.
pub(crate) fn clear(path: &Path) -> Result<(), TreeError> {
    if let Some(error) = tree::clear(path)?.error {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let (path, cause) = (path.display(), cause.unwrap_or_default());
        warn(&format!("{path} was not completely removed: {error}{cause}"));
    }
    Ok(())
}
