//! Copies a tree that belongs to someone else into one that belongs to root: a release. Owner and mode are set, not
//! copied; set-user-id bits, access lists and times are left behind.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, fchown, fchownat, symlinkat};

use super::TreeError;
use super::link::stays_inside;
use super::walk::{Kind, as_path, kind, names, open_directory};

/// Whom the copy belongs to. `None` leaves that to the process, which then is not root.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// Owner.
    pub user: Uid,
    /// May read.
    pub group: Gid,
}

/// The most that is copied.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Files, directories and links.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files, directories and links.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Copies what is below `from` into the new directory `to`, without the names in `skip` at the top. Durable on return.
/// A failure leaves a part behind, for the caller to remove.
pub fn copy(from: &Path, to: &Path, owner: Option<Owner>, bounds: Bounds, skip: &[&str]) -> Result<Copied, TreeError> {
    let open = |path: &Path| {
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        nix::fcntl::open(path, flags, Mode::empty()).map_err(TreeError::at("open", path))
    };
    let source = open(from)?;
    std::fs::DirBuilder::new().create(to).map_err(|source| TreeError::Io {
        verb: "make",
        path: to.into(),
        source,
    })?;
    let target = open(to)?;
    let mut copying = Copying {
        owner,
        bounds,
        copied: Copied::default(),
        below: PathBuf::new(),
        depth: 0,
    };
    copying.directory(&source, &target, skip)?;
    // One flush of the file system instead of one per file.
    nix::unistd::syncfs(&target).map_err(TreeError::at("flush", to))?;
    Ok(copying.copied)
}

struct Copying {
    owner: Option<Owner>,
    bounds: Bounds,
    copied: Copied,
    /// The directory being copied, for messages.
    below: PathBuf,
    depth: usize,
}

impl Copying {
    fn directory(&mut self, source: &OwnedFd, target: &OwnedFd, skip: &[&str]) -> Result<(), TreeError> {
        for name in names(source).map_err(TreeError::at("list", &self.below))? {
            if skip.iter().any(|skipped| name.to_bytes() == skipped.as_bytes()) {
                continue;
            }
            let path = self.below.join(as_path(&name));
            self.count(1, 0, &path)?;
            let stat = fstatat(source, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
            match kind(stat.map_err(TreeError::at("look at", &path))?.st_mode) {
                Kind::Directory => self.below(source, target, &name, path)?,
                Kind::File => self.file(source, target, &name, &path)?,
                Kind::Link => self.link(source, target, &name, path)?,
                Kind::Special(kind) => return Err(TreeError::Special { path, kind }),
            }
        }
        self.seal(target, 0o750).map_err(TreeError::at("seal", &self.below))
    }

    fn below(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CString, path: PathBuf) -> Result<(), TreeError> {
        let inner = open_directory(source, name).map_err(TreeError::at("open", &path))?;
        mkdirat(target, name.as_c_str(), Mode::S_IRWXU).map_err(TreeError::at("make", &path))?;
        let copy = open_directory(target, name).map_err(TreeError::at("open", &path))?;
        let outer = std::mem::replace(&mut self.below, path);
        self.depth += 1;
        self.directory(&inner, &copy, &[])?;
        self.depth -= 1;
        self.below = outer;
        Ok(())
    }

    fn file(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CString, path: &Path) -> Result<(), TreeError> {
        // O_NONBLOCK: what was a file when looked at may be a fifo now.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let from = openat(source, name.as_c_str(), flags, Mode::empty()).map_err(TreeError::at("read", path))?;
        let mode = fstat(&from).map_err(TreeError::at("look at", path))?.st_mode;
        if let Kind::Special(kind) = kind(mode) {
            return Err(TreeError::Special {
                path: path.to_owned(),
                kind,
            });
        }
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let to = openat(target, name.as_c_str(), flags, Mode::S_IRWXU).map_err(TreeError::at("write", path))?;
        let left = self.bounds.bytes - self.copied.bytes;
        let mut to = File::from(to);
        let bytes = io::copy(&mut File::from(from).take(left.saturating_add(1)), &mut to);
        let bytes = bytes.map_err(|source| TreeError::Io {
            verb: "copy",
            path: path.to_owned(),
            source,
        })?;
        self.count(0, bytes, path)?;
        let executable = if mode & 0o111 == 0 { 0o640 } else { 0o750 };
        self.seal(&OwnedFd::from(to), executable)
            .map_err(TreeError::at("seal", path))
    }

    fn link(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CString, path: PathBuf) -> Result<(), TreeError> {
        let points_to = readlinkat(source, name.as_c_str()).map_err(TreeError::at("read", &path))?;
        if !stays_inside(Path::new(&points_to), self.depth) {
            return Err(TreeError::Escapes {
                path,
                target: points_to.into(),
            });
        }
        symlinkat(points_to.as_os_str(), target, name.as_c_str()).map_err(TreeError::at("write", &path))?;
        let Some(owner) = self.owner else { return Ok(()) };
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        fchownat(target, name.as_c_str(), Some(owner.user), Some(owner.group), flags)
            .map_err(TreeError::at("seal", path))
    }

    fn seal(&self, copy: &OwnedFd, mode: u32) -> nix::Result<()> {
        if let Some(owner) = self.owner {
            fchown(copy, Some(owner.user), Some(owner.group))?;
        }
        fchmod(copy, Mode::from_bits_truncate(mode))
    }

    fn count(&mut self, entries: u64, bytes: u64, path: &Path) -> Result<(), TreeError> {
        self.copied.entries += entries;
        self.copied.bytes += bytes;
        let (most, what) = if self.copied.entries > self.bounds.entries {
            (self.bounds.entries, "files")
        } else if self.copied.bytes > self.bounds.bytes {
            (self.bounds.bytes, "bytes")
        } else {
            return Ok(());
        };
        Err(TreeError::TooMuch {
            path: path.to_owned(),
            most,
            what,
        })
    }
}
