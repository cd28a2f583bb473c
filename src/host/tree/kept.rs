//! Files that not even root removes as long as they have a flag that keeps them, `FS_IMMUTABLE_FL` or `FS_APPEND_FL` of
//! `ioctl_iflags(2)`, set by chattr(1).

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;

use super::TreeError;
use super::entry::{Kind, Listing, as_path, kind_of, open_directory};
use super::remove::locate;

/// Levels that are looked into: a removal says what it meets further down.
const DEEPEST: usize = 64;
/// Entries that are looked at, for a process may make them faster.
const MOST: usize = 4_000_000;

/// What keeps a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// It cannot be changed at all.
    Immutable,
    /// It can only grow.
    AppendOnly,
}

impl Flag {
    /// The option of chattr(1) that takes it off.
    pub fn off(self) -> &'static str {
        match self {
            Self::Immutable => "-i",
            Self::AppendOnly => "-a",
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Immutable => "immutable",
            Self::AppendOnly => "append-only",
        })
    }
}

/// The first file at or below `path` that has such a flag, found by reading alone.
pub fn kept(path: &Path) -> Result<Option<(PathBuf, Flag)>, TreeError> {
    let Some((parent, name)) = locate(path)? else {
        return Ok(None);
    };
    if let Some(flag) = flag(&parent, &name) {
        return Ok(Some((path.to_owned(), flag)));
    }
    let top = match open_directory(&parent, &name) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(None),
        opened => opened.map_err(TreeError::at("inspect", path))?,
    };
    below(&top, path).map_err(TreeError::at("inspect", path))
}

fn below(top: &OwnedFd, path: &Path) -> nix::Result<Option<(PathBuf, Flag)>> {
    let mut path = path.to_owned();
    let mut levels = vec![open(top, c".")?];
    for _ in 0..MOST {
        let Some((directory, listing)) = levels.last_mut() else {
            return Ok(None);
        };
        let Some(entry) = listing.next() else {
            levels.pop();
            path.pop();
            continue;
        };
        let entry = entry?;
        let name = entry.file_name();
        if let Some(flag) = flag(directory, name) {
            return Ok(Some((path.join(as_path(name)), flag)));
        }
        // One that is gone meanwhile keeps nothing.
        if matches!(kind_of(&*directory, &entry), Ok(Kind::Directory))
            && levels.len() < DEEPEST
            && let Ok(inner) = open(&levels[levels.len() - 1].0, name)
        {
            path.push(as_path(name));
            levels.push(inner);
        }
    }
    Ok(None)
}

fn open(parent: &OwnedFd, name: &CStr) -> nix::Result<(OwnedFd, Listing)> {
    let directory = open_directory(parent, name)?;
    let listing = Listing::open(&directory)?;
    Ok((directory, listing))
}

/// What keeps `name`, or its directory, from being removed.
pub(super) fn keeper(parent: &OwnedFd, name: &CStr, path: &Path) -> Option<TreeError> {
    let own = flag(parent, name).map(|flag| (path, flag));
    let above = || Some((path.parent()?, flag(parent, c".")?));
    let (path, flag) = own.or_else(above)?;
    let path = path.to_owned();
    Some(TreeError::Kept { path, flag })
}

/// The flag of a name; a file system that knows none has none.
fn flag(directory: &OwnedFd, name: &CStr) -> Option<Flag> {
    let mut status = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: both pointers live as long as the call, which writes one statx at most; all zeroes is one, too.
    let status = unsafe {
        let (at, none) = (directory.as_raw_fd(), 0);
        let done = libc::statx(at, name.as_ptr(), libc::AT_SYMLINK_NOFOLLOW, none, status.as_mut_ptr());
        Errno::result(done).ok()?;
        status.assume_init()
    };
    let is = |attribute: libc::c_int| u64::try_from(attribute).is_ok_and(|bit| status.stx_attributes & bit != 0);
    match () {
        () if is(libc::STATX_ATTR_IMMUTABLE) => Some(Flag::Immutable),
        () if is(libc::STATX_ATTR_APPEND) => Some(Flag::AppendOnly),
        () => None,
    }
}
