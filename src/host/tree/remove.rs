//! Removes a file, a link or a whole tree, although processes of an app may still be at work in it.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::entry::{Kind, as_path, look, open_directory};
use super::{TreeError, aside, empty, kept};

/// Removes `path`, and what is left of earlier removals of it; says whether there was anything. After an error the name
/// may be free nevertheless: see [`clear`].
pub fn remove(path: &Path) -> Result<bool, TreeError> {
    let left = clear(path)?;
    match left.error {
        Some(error) => Err(error),
        None => Ok(left.found),
    }
}

/// Whether there is anything to remove: at `path`, or left of earlier removals of it.
pub fn remains(path: &Path) -> Result<bool, TreeError> {
    let Some((parent, name)) = locate(path)? else {
        return Ok(false);
    };
    let there = || Ok(look(&parent, &name)?.is_some() || !aside::leftovers(&parent, &name)?.is_empty());
    there().map_err(TreeError::at("inspect", path))
}

/// What a name was cleared of.
#[derive(Debug)]
#[must_use]
pub struct Cleared {
    /// Whether there was anything.
    pub found: bool,
    /// Why some of it is left, under another name beside it, for the next removal.
    pub error: Option<TreeError>,
}

/// The same; an error says that `path` is still there. Some of what was there may be left under another name.
pub fn clear(path: &Path) -> Result<Cleared, TreeError> {
    match locate(path)? {
        Some((parent, name)) => clear_in(&parent, &name, path),
        None => Ok(Cleared {
            found: false,
            error: None,
        }),
    }
}

/// The same, of a name in an open directory. `path` is for messages.
pub(super) fn clear_in(parent: &OwnedFd, name: &CStr, path: &Path) -> Result<Cleared, TreeError> {
    let mut cleared = Cleared {
        found: false,
        error: None,
    };
    for old in aside::leftovers(parent, name).map_err(TreeError::at("list", path))? {
        cleared.found = true;
        cleared.error = directory(parent, &old, &path.with_file_name(as_path(&old))).err();
    }
    let fail = |verb| TreeError::at(verb, path);
    match look(parent, name).map_err(fail("inspect"))? {
        None => return Ok(cleared),
        Some(Kind::Directory) => {
            let aside = aside::set(parent, name).map_err(refused(parent, name, path))?;
            let removed = directory(parent, &aside, &path.with_file_name(as_path(&aside)));
            if *aside == *name {
                removed?;
            } else {
                cleared.error = removed.err().or(cleared.error);
            }
        }
        Some(_) => unlinkat(parent, name, UnlinkatFlags::NoRemoveDir).map_err(refused(parent, name, path))?,
    }
    cleared.found = true;
    Ok(cleared)
}

fn directory(parent: &OwnedFd, name: &CStr, path: &Path) -> Result<(), TreeError> {
    empty::empty(parent, name, path)?;
    match unlinkat(parent, name, UnlinkatFlags::RemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        removed => removed.map_err(refused(parent, name, path)),
    }
}

/// The open directory of a path and its last name; `None` when there is no such directory.
pub(super) fn locate(path: &Path) -> Result<Option<(OwnedFd, CString)>, TreeError> {
    let invalid = || TreeError::at("remove", path)(Errno::EINVAL);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(invalid());
    };
    let text = |name: &std::ffi::OsStr| CString::new(name.as_bytes()).map_err(|_| invalid());
    match open_directory(AT_FDCWD, &text(folder.as_os_str())?) {
        Ok(parent) => Ok(Some((parent, text(name)?))),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(TreeError::at("open", path)(errno)),
    }
}

/// Why a name cannot be renamed or removed: because something is mounted on it, or a flag keeps it.
pub(super) fn refused(parent: &OwnedFd, name: &CStr, path: &Path) -> impl FnOnce(Errno) -> TreeError {
    move |errno| match errno {
        Errno::EBUSY | Errno::EXDEV => TreeError::MountPoint { path: path.to_owned() },
        Errno::EPERM => kept::keeper(parent, name, path).unwrap_or_else(|| TreeError::at("remove", path)(errno)),
        errno => TreeError::at("remove", path)(errno),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::{Mode, mkdirat};

    use super::{TreeError, clear, remove};

    /// A directory with so many in each other, and the innermost one.
    fn deep(top: &Path, levels: usize) -> OwnedFd {
        std::fs::create_dir(top).expect("a directory");
        let mut innermost: OwnedFd = File::open(top).expect("opened").into();
        for _ in 0..levels {
            innermost = deeper(&innermost).expect("one more");
        }
        innermost
    }

    fn deeper(outer: &OwnedFd) -> nix::Result<OwnedFd> {
        mkdirat(outer, "d", Mode::S_IRWXU)?;
        openat(outer, "d", OFlag::O_DIRECTORY | OFlag::O_RDONLY, Mode::empty())
    }

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

    /// On a small stack, with files on the way back up.
    #[test]
    fn any_depth_is_removed() {
        let folder = tempfile::tempdir().expect("a directory");
        let tree = folder.path().join("tree");
        let innermost = deep(&tree, 2000);
        for name in ["a", "z"] {
            mkdirat(&innermost, name, Mode::S_IRWXU).expect("a directory");
            std::fs::write(tree.join(format!("d/d/d/{name}")), "").expect("a file");
        }
        let small = std::thread::Builder::new().stack_size(64 << 10);
        let thread = small.spawn(move || remove(&tree)).expect("a thread");
        assert!(thread.join().expect("no overflow").expect("removed"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }

    /// It makes directories below a descriptor that it holds, faster than they can be removed.
    #[test]
    fn a_process_that_never_stops_is_left_to_the_next_removal() {
        let folder = tempfile::tempdir().expect("a directory");
        let tree = folder.path().join("tree");
        let innermost = deep(&tree, 100);
        let stop = AtomicBool::new(false);
        let first = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut innermost = innermost;
                while !stop.load(Ordering::Relaxed) {
                    let Ok(next) = deeper(&innermost) else { return };
                    innermost = next;
                }
            });
            let first = clear(&tree);
            stop.store(true, Ordering::Relaxed);
            first
        });
        let first = first.expect("out of the way");
        assert!(!tree.exists());
        let left = std::fs::read_dir(folder.path()).expect("listed").count();
        match first.error {
            Some(TreeError::Growing { path }) => assert_eq!((path, left), (folder.path().join(".tree.removed-1"), 1)),
            // It was not fast enough.
            None => assert_eq!(left, 0),
            Some(error) => panic!("{error}"),
        }
        remove(&tree).expect("the rest");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }

    #[test]
    fn what_a_killed_removal_left_goes_too() {
        let folder = tempfile::tempdir().expect("a directory");
        for name in [".a.removed-1", ".a.removed-7", ".a.removed-x", ".ab.removed-1", "a"] {
            std::fs::create_dir_all(folder.path().join(name).join("x")).expect("directories");
        }
        assert!(remove(&folder.path().join("a")).expect("removed"));
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("listed")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".a.removed-x", ".ab.removed-1"]);
        assert!(remove(&folder.path().join(".ab.removed-1")).expect("removed under its own name"));
    }
}
