//! One directory at a time, through its own descriptor.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, SFlag};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
    Special(&'static str),
}

/// Opens a directory below another, never through a link.
pub(super) fn open_directory(parent: impl AsFd, name: &CStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// Names in a directory, without `.` and `..`.
pub(super) fn names(directory: &OwnedFd) -> nix::Result<Vec<CString>> {
    let again = open_directory(directory, c".")?;
    let mut listing = Dir::from_fd(again)?;
    let names: Result<Vec<CString>, Errno> = listing
        .iter()
        .map(|entry| entry.map(|e| e.file_name().to_owned()))
        .collect();
    let mut names = names?;
    names.retain(|name| !matches!(name.to_bytes(), b"." | b".."));
    Ok(names)
}

/// What a mode says its file is.
pub(super) fn kind(mode: u32) -> Kind {
    match SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => Kind::File,
        SFlag::S_IFDIR => Kind::Directory,
        SFlag::S_IFLNK => Kind::Link,
        SFlag::S_IFIFO => Kind::Special("fifo"),
        SFlag::S_IFSOCK => Kind::Special("socket"),
        _ => Kind::Special("device"),
    }
}

/// A name as a path.
pub(super) fn as_path(name: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(name.to_bytes()))
}
