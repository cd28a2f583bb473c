//! The group of a sealed tree, which is root's: nobody else changes what is in it meanwhile.

use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;

use nix::unistd::Gid;

use super::TreeError;

/// The group of a directory.
pub fn group(directory: &Path) -> Result<Gid, TreeError> {
    let metadata = directory.symlink_metadata().map_err(failed("inspect", directory))?;
    Ok(Gid::from_raw(metadata.gid()))
}

/// Gives a tree to another group; links themselves, never what they point to. The directory itself comes last: it tells
/// whether all is done.
pub fn give_to_group(tree: &Path, group: Gid) -> Result<(), TreeError> {
    let give = |path: &Path| lchown(path, None, Some(group.as_raw())).map_err(failed("change the owner of", path));
    let mut open = vec![tree.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in directory.read_dir().map_err(failed("list", &directory))? {
            let entry = entry.map_err(failed("list", &directory))?;
            let path = entry.path();
            give(&path)?;
            if entry.file_type().map_err(failed("inspect", &path))?.is_dir() {
                open.push(path);
            }
        }
    }
    give(tree)
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TreeError {
    let path = path.to_owned();
    move |source| TreeError::Io { verb, path, source }
}
