//! One directory at a time, through its own descriptor.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::dir::{Dir, Entry, OwningIter, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstatat};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Anything else, and what it is called.
    Special(&'static str),
}

/// Opens a directory below another, never through a link.
pub(super) fn open_directory(parent: impl AsFd, name: &CStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// The entries of a directory as they are read, without `.` and `..`: a directory may have more than fit in memory.
pub(super) struct Listing(OwningIter);

impl Listing {
    pub(super) fn open(directory: impl AsFd) -> nix::Result<Self> {
        Ok(Self(Dir::from_fd(open_directory(directory, c".")?)?.into_iter()))
    }
}

impl Iterator for Listing {
    type Item = nix::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let own = |entry: &nix::Result<Entry>| matches!(entry, Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b".."));
        self.0.find(|entry| !own(entry))
    }
}

/// What an entry is; the file system is asked where the listing does not say.
pub(super) fn kind_of(directory: impl AsFd, entry: &Entry) -> nix::Result<Kind> {
    match entry.file_type() {
        Some(Type::File) => Ok(Kind::File),
        Some(Type::Directory) => Ok(Kind::Directory),
        Some(Type::Symlink) => Ok(Kind::Link),
        Some(Type::Fifo) => Ok(Kind::Special("fifo")),
        Some(Type::Socket) => Ok(Kind::Special("socket")),
        Some(Type::CharacterDevice | Type::BlockDevice) => Ok(Kind::Special("device")),
        None => {
            let stat = fstatat(directory, entry.file_name(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
            Ok(kind(stat.st_mode))
        }
    }
}

/// What a name is; `None` when there is no such name.
pub(super) fn look(directory: impl AsFd, name: &CStr) -> nix::Result<Option<Kind>> {
    match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(kind(stat.st_mode))),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// What a mode says its file is.
pub fn kind(mode: u32) -> Kind {
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
