//! The copies of an app's configuration that are in force, `applied/NAME.toml` and what `appctl env` keeps beside it.

use super::files::{self, FileError};
use crate::release::Layout;
use crate::spec::AppName;

/// Writes both: for no more eyes than the file that they come from, and what is kept for root only.
pub fn write(layout: &Layout, app: &AppName, text: &str, env: Option<&str>) -> Result<(), FileError> {
    let kept = layout.applied_env_file(app);
    match env {
        Some(env) => files::write_private(&kept, env)?,
        None => drop(files::remove(&kept)?),
    }
    files::write_like(&layout.applied_file(app), text, &layout.wanted_file(app))
}

/// Removes both.
pub fn remove(layout: &Layout, app: &AppName) -> Result<(), FileError> {
    files::remove(&layout.applied_file(app))?;
    files::remove(&layout.applied_env_file(app)).map(drop)
}
