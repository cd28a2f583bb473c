//! Makes a new tree from the events of a walk: a release, or the directory it is built in. The walk may be another process
//! with fewer rights, so every event is checked here as well. Owner and mode are set, not copied; set-user-id bits, access
//! lists and times are left behind.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{Gid, Uid, fchown, fchownat, symlinkat};

use super::TreeError;
use super::content::{Before, Content, Target};
use super::entry::{as_path, open_directory};
use super::link::means_the_same;
use super::walk::{DEEPEST, Event};
use crate::release::{Entry, Manifest};

/// Names that are told; a count would do for more.
const TOLD: usize = 1000;

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
#[derive(Debug, Clone, Copy)]
pub struct Plan<'p> {
    /// Whom the copy belongs to.
    pub owner: Option<Owner>,
    /// Who may use it.
    pub access: Access,
    /// The most that is copied.
    pub bounds: Bounds,
    /// A sealed release whose files are linked into the copy where they are the same.
    pub before: Option<Before<'p>>,
    /// Set to end the copying.
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

/// Copies what a walk meets into the new directory `to`. Durable on return. A failure leaves a part behind, for the caller
/// to remove.
pub fn copy(
    events: impl IntoIterator<Item = Result<Event, TreeError>>,
    to: &Path,
    plan: Plan<'_>,
) -> Result<Copied, TreeError> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(to)
        .map_err(|source| TreeError::Io {
            verb: "create",
            path: to.into(),
            source,
        })?;
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let target = nix::fcntl::open(to, flags, Mode::empty()).map_err(TreeError::at("open", to))?;
    let flush = target.try_clone().map_err(|source| TreeError::Io {
        verb: "open",
        path: to.into(),
        source,
    })?;
    let copied = copy_into(events, target, plan)?;
    // One flush of the file system instead of one per file.
    nix::unistd::syncfs(&flush).map_err(TreeError::at("flush", to))?;
    Ok(copied)
}

/// Copies what a walk meets into an open directory, which is empty. Not durable on return.
pub(super) fn copy_into(
    events: impl IntoIterator<Item = Result<Event, TreeError>>,
    target: OwnedFd,
    plan: Plan<'_>,
) -> Result<Copied, TreeError> {
    let mut copying = Copying {
        content: Content::new(plan.owner, plan.access, plan.before),
        bounds: plan.bounds,
        stop: plan.stop,
        copied: Copied::default(),
        below: PathBuf::new(),
        open: Vec::new(),
        innermost: target,
    };
    for event in events {
        copying.event(event?)?;
    }
    copying.end()
}

/// Copies one open file.
pub(super) fn copy_file(source: &File, target: &OwnedFd, name: &CStr, plan: Plan<'_>) -> Result<(), TreeError> {
    let mut content = Content::new(plan.owner, plan.access, None);
    let target = Target {
        directory: target,
        name,
        path: as_path(name),
    };
    let copied = content.copy(source, target, plan.bounds.bytes);
    copied.map(drop)
}

struct Copying<'p> {
    content: Content<'p>,
    bounds: Bounds,
    stop: &'p AtomicBool,
    copied: Copied,
    /// The directory being made, from the top.
    below: PathBuf,
    /// The directories around it, outermost first.
    open: Vec<OwnedFd>,
    innermost: OwnedFd,
}

impl Copying<'_> {
    fn event(&mut self, event: Event) -> Result<(), TreeError> {
        match event {
            Event::Enter(name) => self.enter(&name),
            Event::File(name, file) => self.file(&name, &file),
            Event::Link(name, target) => self.link(&name, target),
            Event::LeftOut(name) => self.left_out(&name),
            Event::Leave => self.leave(),
        }
    }

    /// The path of a name in the directory being made. A name is one component, whatever the walk says.
    fn path(&self, name: &CStr) -> Result<PathBuf, TreeError> {
        let path = self.below.join(as_path(name));
        match name.to_bytes() {
            b"" | b"." | b".." => Err(TreeError::at("use", path)(Errno::EINVAL)),
            bytes if bytes.contains(&b'/') => Err(TreeError::at("use", path)(Errno::EINVAL)),
            _ => Ok(path),
        }
    }

    fn enter(&mut self, name: &CStr) -> Result<(), TreeError> {
        let path = self.path(name)?;
        if self.open.len() >= DEEPEST {
            return Err(TreeError::too_deep(&path));
        }
        self.count(1, 0, &path)?;
        let target = &self.innermost;
        mkdirat(target, name, Mode::S_IRWXU).map_err(TreeError::at("create", &path))?;
        let copy = open_directory(target, name).map_err(TreeError::at("open", &path))?;
        self.copied.manifest.add(path.clone(), Entry::Directory);
        self.below = path;
        self.open.push(std::mem::replace(&mut self.innermost, copy));
        Ok(())
    }

    fn leave(&mut self) -> Result<(), TreeError> {
        self.seal()?;
        let Some(outer) = self.open.pop() else {
            return Err(TreeError::at("leave", &self.below)(Errno::EPROTO));
        };
        self.innermost = outer;
        self.below.pop();
        Ok(())
    }

    fn end(self) -> Result<Copied, TreeError> {
        if !self.open.is_empty() {
            return Err(TreeError::at("read all of", &self.below)(Errno::EPROTO));
        }
        self.seal()?;
        Ok(self.copied)
    }

    fn file(&mut self, name: &CStr, source: &File) -> Result<(), TreeError> {
        let path = self.path(name)?;
        self.count(1, 0, &path)?;
        let left = self.bounds.bytes - self.copied.bytes;
        let target = Target {
            directory: &self.innermost,
            name,
            path: &path,
        };
        let (entry, in_common) = self.content.copy(source, target, left)?;
        if let Entry::File { size, .. } = entry {
            self.count(0, size, &path)?;
            self.copied.in_common += if in_common { size } else { 0 };
        }
        self.copied.manifest.add(path, entry);
        Ok(())
    }

    fn link(&mut self, name: &CStr, points_to: OsString) -> Result<(), TreeError> {
        let path = self.path(name)?;
        self.count(1, 0, &path)?;
        if !means_the_same(Path::new(&points_to), self.open.len()) {
            let target = points_to.into();
            return Err(TreeError::Escapes { path, target });
        }
        let target = &self.innermost;
        symlinkat(points_to.as_os_str(), target, name).map_err(TreeError::at("write", &path))?;
        if let Some(owner) = self.content.owner() {
            let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
            let owned = fchownat(target, name, Some(owner.user), Some(owner.group), flags);
            owned.map_err(TreeError::at("seal", &path))?;
        }
        self.copied.manifest.add(path, Entry::Link(points_to));
        Ok(())
    }

    fn left_out(&mut self, name: &CStr) -> Result<(), TreeError> {
        let path = self.path(name)?;
        let told = self.copied.left_out.len() < TOLD && name != c".git";
        self.copied.left_out.extend(told.then_some(path));
        Ok(())
    }

    fn seal(&self) -> Result<(), TreeError> {
        let seal = || {
            if let Some(owner) = self.content.owner() {
                fchown(&self.innermost, Some(owner.user), Some(owner.group))?;
            }
            fchmod(
                &self.innermost,
                Mode::from_bits_truncate(self.content.access().mode(true)),
            )
        };
        seal().map_err(TreeError::at("seal", &self.below))
    }

    fn count(&mut self, entries: u64, bytes: u64, path: &Path) -> Result<(), TreeError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(TreeError::at("continue with", path)(Errno::ECANCELED));
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
