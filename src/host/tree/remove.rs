//! Removes a tree. A directory that someone swaps for a link meanwhile is an error, not a way out of the tree.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::fstatat;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::TreeError;
use super::walk::{Kind, as_path, kind, names, open_directory};

/// Removes `path`, a file, a link or a whole tree; says whether there was anything.
pub fn remove(path: &Path) -> Result<bool, TreeError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(TreeError::at("remove", path)(Errno::EINVAL));
    };
    let name = CString::new(name.as_bytes()).map_err(|_| TreeError::at("remove", path)(Errno::EINVAL))?;
    let folder =
        CString::new(folder.as_os_str().as_bytes()).map_err(|_| TreeError::at("remove", path)(Errno::EINVAL))?;
    let parent = match open_directory(AT_FDCWD, &folder) {
        Ok(parent) => parent,
        Err(Errno::ENOENT) => return Ok(false),
        Err(errno) => return Err(TreeError::at("open", path)(errno)),
    };
    entry(&parent, &name, path)
}

fn entry(parent: &OwnedFd, name: &CString, path: &Path) -> Result<bool, TreeError> {
    let stat = match fstatat(parent, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::ENOENT) => return Ok(false),
        Err(errno) => return Err(TreeError::at("look at", path)(errno)),
    };
    let flag = if kind(stat.st_mode) == Kind::Directory {
        let directory = open_directory(parent, name).map_err(TreeError::at("open", path))?;
        for below in names(&directory).map_err(TreeError::at("list", path))? {
            entry(&directory, &below, &path.join(as_path(&below)))?;
        }
        UnlinkatFlags::RemoveDir
    } else {
        UnlinkatFlags::NoRemoveDir
    };
    unlinkat(parent, name.as_c_str(), flag).map_err(TreeError::at("remove", path))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::remove;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_is_removed_and_what_it_points_to_is_not() {
        let folder = tempfile::tempdir().expect("a directory");
        let outside = folder.path().join("outside");
        std::fs::create_dir_all(&outside).expect("a directory");
        std::fs::write(outside.join("kept"), "x").expect("a file");
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("a/b")).expect("directories");
        symlink(&outside, tree.join("a/b/link")).expect("a link");
        assert!(remove(&tree).expect("removed"));
        assert!(!tree.exists() && outside.join("kept").exists());
        assert!(!remove(&tree).expect("nothing there"));
    }
}
