//! One file of a copy: written anew, or linked from a sealed release that has the same. Sharing is safe because root alone
//! can write what is sealed, and every new file is a file of its own: a process that still has the source open cannot
//! reach it. The source may be shared with the process that opened it, so it is read by position.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::{Mode, fchmod, fstat, fstatat};
use nix::unistd::{fchown, linkat};
use sha2::{Digest as _, Sha256};

use super::TreeError;
use super::copy::{Access, Owner};
use super::entry::{Kind, kind};
use crate::release::{Entry, Manifest};

/// What is read at a time, and the largest file that is read once.
const CHUNK: usize = 1 << 20;

/// A sealed release and what is in it.
#[derive(Debug, Clone, Copy)]
pub struct Before<'p> {
    /// Its directory.
    pub directory: &'p OwnedFd,
    /// Its entries.
    pub manifest: &'p Manifest,
}

pub(super) struct Content<'p> {
    owner: Option<Owner>,
    access: Access,
    before: Option<Before<'p>>,
    buffer: Vec<u8>,
}

/// Where a file goes.
#[derive(Clone, Copy)]
pub(super) struct Target<'p> {
    pub(super) directory: &'p OwnedFd,
    pub(super) name: &'p CStr,
    /// Below the release.
    pub(super) path: &'p Path,
}

/// Size and digest of what was read, and whether the file is the one of the release before.
struct Taken {
    size: u64,
    digest: [u8; 32],
}

impl<'p> Content<'p> {
    pub(super) fn new(owner: Option<Owner>, access: Access, before: Option<Before<'p>>) -> Self {
        Self {
            owner,
            access,
            before,
            buffer: vec![0; CHUNK],
        }
    }

    pub(super) fn owner(&self) -> Option<Owner> {
        self.owner
    }

    pub(super) fn access(&self) -> Access {
        self.access
    }

    /// Copies at most `left` bytes and one; says whether it was there before.
    pub(super) fn copy(&mut self, from: &File, target: Target<'_>, left: u64) -> Result<(Entry, bool), TreeError> {
        let path = target.path;
        let (size, executable) = look(from, path)?;
        let like = |entry: &Entry| matches!(entry, Entry::File { size: s, executable: x, .. } if (*s, *x) == (size, executable));
        let entry = self
            .before
            .and_then(|before| before.manifest.get(path))
            .filter(|entry| like(entry));
        if let Some(entry) = entry.cloned()
            && self.is_same(from, &entry).map_err(io("read", path))?
            && self.link(&entry, target)
        {
            return Ok((entry, true));
        }
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let to = openat(target.directory, target.name, flags, Mode::S_IRWXU).map_err(TreeError::at("write", path))?;
        let mut to = File::from(to);
        let taken = self.pour(from, Some(&mut to), left.saturating_add(1));
        let taken = taken.map_err(io("copy", path))?;
        self.seal(&to, executable).map_err(TreeError::at("seal", path))?;
        let entry = Entry::File {
            size: taken.size,
            executable,
            digest: taken.digest,
            modified: modified(&to).map_err(io("inspect", path))?,
        };
        Ok((entry, false))
    }

    /// Whether the source reads like the file of the release before.
    fn is_same(&mut self, from: &File, entry: &Entry) -> io::Result<bool> {
        let Entry::File { size, digest, .. } = entry else {
            return Ok(false);
        };
        let taken = self.pour(from, None, size.saturating_add(1))?;
        Ok((taken.size, taken.digest) == (*size, *digest))
    }

    /// Links the file of the release before; `false` when it is not as it was sealed, or the file system will not.
    fn link(&self, entry: &Entry, target: Target<'_>) -> bool {
        let Target { directory, name, path } = target;
        let Some(before) = self.before else { return false };
        // A directory of that release may be a link by now: to what all releases have in common.
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let Ok(folder) = openat2(before.directory, folder.unwrap_or(Path::new(".")), how) else {
            return false;
        };
        let stat = fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let sealed = stat.is_ok_and(|stat| self.is_as_sealed(&stat, entry));
        sealed && linkat(&folder, name, directory, name, AtFlags::empty()).is_ok()
    }

    fn is_as_sealed(&self, stat: &nix::libc::stat, entry: &Entry) -> bool {
        let Entry::File {
            size,
            executable,
            modified,
            ..
        } = entry
        else {
            return false;
        };
        let owned = self
            .owner
            .is_none_or(|owner| (owner.user.as_raw(), owner.group.as_raw()) == (stat.st_uid, stat.st_gid));
        kind(stat.st_mode) == Kind::File
            && owned
            && stat.st_mode & 0o7777 == self.access.mode(*executable)
            && u64::try_from(stat.st_size) == Ok(*size)
            && nanoseconds(stat.st_mtime, stat.st_mtime_nsec) == *modified
    }

    fn pour(&mut self, from: &File, mut to: Option<&mut File>, most: u64) -> io::Result<Taken> {
        let mut hash = Sha256::new();
        let mut size = 0;
        loop {
            let ask = usize::try_from(most - size).map_or(CHUNK, |left| left.min(CHUNK));
            let read = match from.read_at(&mut self.buffer[..ask], size) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                let digest = hash.finalize().into();
                return Ok(Taken { size, digest });
            }
            size += read as u64;
            hash.update(&self.buffer[..read]);
            if let Some(to) = &mut to {
                to.write_all(&self.buffer[..read])?;
            }
        }
    }

    fn seal(&self, file: &File, executable: bool) -> nix::Result<()> {
        if let Some(owner) = self.owner {
            fchown(file, Some(owner.user), Some(owner.group))?;
        }
        fchmod(file, Mode::from_bits_truncate(self.access.mode(executable)))
    }
}

/// The size of a regular file, and whether it may be executed.
fn look(from: &File, path: &Path) -> Result<(u64, bool), TreeError> {
    let stat = fstat(from).map_err(TreeError::at("inspect", path))?;
    match kind(stat.st_mode) {
        Kind::File => Ok((u64::try_from(stat.st_size).unwrap_or(0), stat.st_mode & 0o111 != 0)),
        Kind::Directory | Kind::Link => Err(TreeError::at("read", path)(Errno::EISDIR)),
        Kind::Special(kind) => {
            let path = path.to_owned();
            Err(TreeError::Special { path, kind })
        }
    }
}

fn modified(file: &File) -> io::Result<i64> {
    let metadata = file.metadata()?;
    Ok(nanoseconds(metadata.mtime(), metadata.mtime_nsec()))
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TreeError {
    let path = path.to_owned();
    move |source| TreeError::Io { verb, path, source }
}
