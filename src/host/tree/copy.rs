//! Copies a tree that belongs to someone else into a new one: a release, or the directory it is built in. Owner and mode
//! are set, not copied; set-user-id bits, access lists and times are left behind.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, readlinkat};
use nix::sys::stat::{Mode, fchmod, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, fchown, fchownat, symlinkat};

use super::TreeError;
use super::content::{Before, Content};
use super::ignore::Ignore;
use super::link::stays_inside;
use super::walk::{Kind, as_path, kind, names, open_directory};
use crate::release::{Entry, Manifest};

/// Whom the copy belongs to. `None` leaves that to the process, which then is not root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Who may do what with the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The group reads, the owner alone writes: a release.
    Sealed,
    /// For the owner alone.
    Private,
}

impl Access {
    /// Mode of a file, or of a directory, which is always executable.
    pub(super) fn mode(self, executable: bool) -> u32 {
        match (self, executable) {
            (Self::Sealed, true) => 0o750,
            (Self::Sealed, false) => 0o640,
            (Self::Private, true) => 0o700,
            (Self::Private, false) => 0o600,
        }
    }
}

/// How a tree is copied.
#[derive(Debug)]
pub struct Plan<'p> {
    /// Whom the copy belongs to.
    pub owner: Option<Owner>,
    /// Who may use it.
    pub access: Access,
    /// The most that is copied.
    pub bounds: Bounds,
    /// What is left out.
    pub ignore: Ignore,
    /// A sealed release whose files are linked into the copy where they are the same.
    pub before: Option<Before<'p>>,
    /// Set by someone who wants the copying to end.
    pub stop: &'p AtomicBool,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files, directories and links.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes that were already there.
    pub in_common: u64,
    /// All entries.
    pub manifest: Manifest,
    /// The outermost names that ignore files left out.
    pub left_out: Vec<PathBuf>,
}

/// Copies what is below `from` into the new directory `to`. Durable on return. A failure leaves a part behind, for the
/// caller to remove.
pub fn copy(from: &Path, to: &Path, plan: Plan<'_>) -> Result<Copied, TreeError> {
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
    let copied = copy_into(&source, &target, plan)?;
    // One flush of the file system instead of one per file.
    nix::unistd::syncfs(&target).map_err(TreeError::at("flush", to))?;
    Ok(copied)
}

/// Copies what is in one open directory into another, which is empty. Not durable on return.
pub(super) fn copy_into(source: &OwnedFd, target: &OwnedFd, plan: Plan<'_>) -> Result<Copied, TreeError> {
    let mut copying = Copying {
        content: Content::new(plan.owner, plan.access, plan.before),
        ignore: plan.ignore,
        bounds: plan.bounds,
        stop: plan.stop,
        copied: Copied::default(),
        below: PathBuf::new(),
        depth: 0,
    };
    copying.directory(source, target)?;
    let mut copied = copying.copied;
    copied.left_out = copying.ignore.into_left_out();
    Ok(copied)
}

/// Copies one file by its name.
pub(super) fn copy_file(source: &OwnedFd, target: &OwnedFd, name: &CString, plan: &Plan<'_>) -> Result<(), TreeError> {
    let mut content = Content::new(plan.owner, plan.access, None);
    let copied = content.copy(source, target, name, as_path(name), plan.bounds.bytes);
    copied.map(drop)
}

struct Copying<'p> {
    content: Content<'p>,
    ignore: Ignore,
    bounds: Bounds,
    stop: &'p AtomicBool,
    copied: Copied,
    /// The directory being copied, for messages.
    below: PathBuf,
    depth: usize,
}

impl Copying<'_> {
    fn directory(&mut self, source: &OwnedFd, target: &OwnedFd) -> Result<(), TreeError> {
        self.ignore.enter(source, &self.below);
        for name in names(source).map_err(TreeError::at("list", &self.below))? {
            let path = self.below.join(as_path(&name));
            let stat = fstatat(source, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
            let kind = kind(stat.map_err(TreeError::at("look at", &path))?.st_mode);
            if self.ignore.leaves_out(&path, kind == Kind::Directory) {
                continue;
            }
            self.count(1, 0, &path)?;
            match kind {
                Kind::Directory => self.below(source, target, &name, path)?,
                Kind::File => self.file(source, target, &name, path)?,
                Kind::Link => self.link(source, target, &name, path)?,
                Kind::Special(kind) => return Err(TreeError::Special { path, kind }),
            }
        }
        self.ignore.leave();
        self.seal(target).map_err(TreeError::at("seal", &self.below))
    }

    fn below(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CString, path: PathBuf) -> Result<(), TreeError> {
        let inner = open_directory(source, name).map_err(TreeError::at("open", &path))?;
        mkdirat(target, name.as_c_str(), Mode::S_IRWXU).map_err(TreeError::at("make", &path))?;
        let copy = open_directory(target, name).map_err(TreeError::at("open", &path))?;
        self.copied.manifest.add(path.clone(), Entry::Directory);
        let outer = std::mem::replace(&mut self.below, path);
        self.depth += 1;
        self.directory(&inner, &copy)?;
        self.depth -= 1;
        self.below = outer;
        Ok(())
    }

    fn file(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CString, path: PathBuf) -> Result<(), TreeError> {
        let left = self.bounds.bytes - self.copied.bytes;
        let (entry, in_common) = self.content.copy(source, target, name, &path, left)?;
        if let Entry::File { size, .. } = entry {
            self.count(0, size, &path)?;
            self.copied.in_common += if in_common { size } else { 0 };
        }
        self.copied.manifest.add(path, entry);
        Ok(())
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
        if let Some(owner) = self.content.owner() {
            let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
            let owned = fchownat(target, name.as_c_str(), Some(owner.user), Some(owner.group), flags);
            owned.map_err(TreeError::at("seal", &path))?;
        }
        self.copied.manifest.add(path, Entry::Link(points_to));
        Ok(())
    }

    fn seal(&self, copy: &OwnedFd) -> nix::Result<()> {
        if let Some(owner) = self.content.owner() {
            fchown(copy, Some(owner.user), Some(owner.group))?;
        }
        fchmod(copy, Mode::from_bits_truncate(self.content.access().mode(true)))
    }

    fn count(&mut self, entries: u64, bytes: u64, path: &Path) -> Result<(), TreeError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(TreeError::at("go on with", path)(Errno::ECANCELED));
        }
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
