//! The copies of an app's configuration that are in force, `applied/NAME.toml` and what `appctl env` keeps beside it.

use super::files::{self, FileError};
use crate::release::AppPaths;

/// Writes both: for no more eyes than the file that they come from, and what is kept for root only.
pub fn write(paths: AppPaths<'_>, text: &str, env: Option<&str>) -> Result<(), FileError> {
    let kept = paths.applied_env_file();
    match env {
        Some(env) => files::write_private(&kept, env)?,
        None => drop(files::remove(&kept)?),
    }
    files::write_like(&paths.applied_file(), text, &paths.wanted_file())
}

/// Removes both.
pub fn remove(paths: AppPaths<'_>) -> Result<(), FileError> {
    files::remove(&paths.applied_file())?;
    files::remove(&paths.applied_env_file()).map(drop)
}
