//! One entry of an archive, made below an open directory: whatever the names on the way are by now, no link among them is
//! followed, openat2(2).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use super::ArchiveError;
use super::error::reading;
use crate::host::tree::means_the_same;

/// The path below the top; `None` is the top itself.
pub(super) fn inside(path: &Path) -> Result<Option<PathBuf>, ArchiveError> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(ArchiveError::Outside(path.to_owned()));
            }
        }
    }
    Ok(Some(inside).filter(|inside| !inside.as_os_str().is_empty()))
}

pub(super) fn directory(top: &OwnedFd, path: &Path) -> Result<(), ArchiveError> {
    let (parent, name) = parent(top, path)?;
    match mkdirat(&parent, name, Mode::S_IRWXU) {
        // Archives name directories more than once.
        Err(Errno::EEXIST) => beneath(&parent, name, DIRECTORY)
            .map(drop)
            .map_err(ArchiveError::at(path)),
        made => made.map_err(ArchiveError::at(path)),
    }
}

/// At most `left` bytes and one; set-user-id bits are left out. Later entries replace earlier ones.
pub(super) fn file<R: Read>(
    top: &OwnedFd,
    path: &Path,
    entry: &mut tar::Entry<'_, R>,
    left: u64,
) -> Result<u64, ArchiveError> {
    let (parent, name) = parent(top, path)?;
    make_way(&parent, name, path)?;
    let executable = entry.header().mode().unwrap_or(0) & 0o111 != 0;
    let mode = if executable { 0o700 } else { 0o600 };
    let how = OpenHow::new()
        .flags(OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC)
        .mode(Mode::from_bits_truncate(mode))
        .resolve(RESOLVE);
    let mut to: File = openat2(&parent, name, how).map_err(ArchiveError::at(path))?.into();
    let size = entry.size();
    let copied = pour(&mut entry.take(left.saturating_add(1)), &mut to, path)?;
    if copied < size.min(left) {
        return Err(ArchiveError::CutOff);
    }
    Ok(copied)
}

pub(super) fn symlink(top: &OwnedFd, path: &Path, target: &Path) -> Result<(), ArchiveError> {
    let depth = path.components().count() - 1;
    if !means_the_same(target, depth) {
        return Err(ArchiveError::Escapes(path.to_owned(), target.to_owned()));
    }
    let (parent, name) = parent(top, path)?;
    make_way(&parent, name, path)?;
    symlinkat(target, &parent, name).map_err(ArchiveError::at(path))
}

/// Another name of an earlier entry.
pub(super) fn hard_link(top: &OwnedFd, path: &Path, target: &Path) -> Result<(), ArchiveError> {
    let escapes = || ArchiveError::Escapes(path.to_owned(), target.to_owned());
    let target = inside(target).map_err(|_| escapes())?.ok_or_else(escapes)?;
    let (Some(folder), Some(file)) = (target.parent(), target.file_name()) else {
        return Err(escapes());
    };
    let (parent, name) = parent(top, path)?;
    make_way(&parent, name, path)?;
    let from = open_folder(top, folder).map_err(ArchiveError::at(path))?;
    // Without a flag no link is followed here either.
    linkat(&from, Path::new(file), &parent, name, AtFlags::empty()).map_err(ArchiveError::at(path))
}

const RESOLVE: ResolveFlag = ResolveFlag::RESOLVE_BENEATH.union(ResolveFlag::RESOLVE_NO_SYMLINKS);
const DIRECTORY: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);

fn beneath(top: &OwnedFd, path: &Path, flags: OFlag) -> nix::Result<OwnedFd> {
    openat2(top, path, OpenHow::new().flags(flags).resolve(RESOLVE))
}

fn open_folder(top: &OwnedFd, folder: &Path) -> nix::Result<OwnedFd> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    beneath(top, folder, DIRECTORY)
}

/// The directory of an entry, made when the archive did not name it, and the entry's name.
fn parent<'p>(top: &OwnedFd, path: &'p Path) -> Result<(OwnedFd, &'p Path), ArchiveError> {
    let name = path.file_name().ok_or_else(|| ArchiveError::Outside(path.to_owned()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let opened = match open_folder(top, folder) {
        Err(Errno::ENOENT) => {
            directory(top, folder)?;
            open_folder(top, folder)
        }
        opened => opened,
    };
    let opened = opened.map_err(ArchiveError::at(path))?;
    Ok((opened, Path::new(name)))
}

/// Removes an earlier entry of the same name, unless it is a directory.
fn make_way(parent: &OwnedFd, name: &Path, path: &Path) -> Result<(), ArchiveError> {
    match unlinkat(parent, name, UnlinkatFlags::NoRemoveDir) {
        Err(Errno::ENOENT) => Ok(()),
        removed => removed.map_err(ArchiveError::at(path)),
    }
}

/// Tells the archive's fault from the disk's.
fn pour(from: &mut impl Read, to: &mut File, path: &Path) -> Result<u64, ArchiveError> {
    let mut buffer = vec![0; 1 << 16];
    let mut copied = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(reading)?,
        };
        if read == 0 {
            return Ok(copied);
        }
        let written = io::Write::write_all(to, &buffer[..read]);
        written.map_err(|error| ArchiveError::io(path, error))?;
        copied += read as u64;
    }
}
