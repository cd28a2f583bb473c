//! Releases on disk, and what is known of each: `about/ID.json` and `about/ID.files`, both root's and written whole.

use std::io::{self, Write as _};
use std::path::Path;

use super::files::{self, FileError};
use crate::release::{AppPaths, Manifest, Origin, ReleaseId};

/// All releases that are complete, oldest first.
pub fn list(paths: AppPaths<'_>) -> Result<Vec<ReleaseId>, FileError> {
    let folder = paths.releases();
    let mut ids: Vec<ReleaseId> = names(&folder)?.iter().filter_map(|name| name.parse().ok()).collect();
    ids.sort();
    Ok(ids)
}

/// The release that `current` points to; `None` when it points to none.
pub fn live(paths: AppPaths<'_>) -> Option<ReleaseId> {
    let target = std::fs::read_link(paths.current()).ok()?;
    target.file_name()?.to_str()?.parse().ok()
}

/// Where a release came from; `None` when that was not recorded, or makes no sense.
pub fn origin(paths: AppPaths<'_>, id: &ReleaseId) -> Result<Option<Origin>, FileError> {
    let text = files::read_config_if_any(&paths.origin_file(id))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// What is in a release; nothing when that was not recorded.
pub fn manifest(paths: AppPaths<'_>, id: &ReleaseId) -> Result<Manifest, FileError> {
    let path = paths.manifest_file(id);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Manifest::parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Manifest::default()),
        Err(error) => Err(FileError::io("read", &path)(error)),
    }
}

/// Records a release, durably. The names of its files are root's business.
pub fn record(paths: AppPaths<'_>, id: &ReleaseId, origin: &Origin, manifest: &Manifest) -> Result<(), FileError> {
    let path = paths.origin_file(id);
    let text = serde_json::to_string_pretty(origin).map_err(|error| FileError::io("write", &path)(error.into()))?;
    files::write_atomic(&path, &text)?;
    let path = paths.manifest_file(id);
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".appctl-").tempfile_in(paths.about())?;
        file.write_all(manifest.to_text().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        files::sync(&paths.about())
    };
    write().map_err(FileError::io("write", &path))
}

/// Forgets a release that is gone.
pub fn forget(paths: AppPaths<'_>, id: &ReleaseId) -> Result<(), FileError> {
    files::remove(&paths.origin_file(id))?;
    files::remove(&paths.manifest_file(id)).map(drop)
}

/// Names in a directory that are text; none when there is no such directory.
pub fn names(folder: &Path) -> Result<Vec<String>, FileError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::io("list", folder)(error)),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.collect())
}
