//! Empties a directory of any depth, with few descriptors and little memory, while processes of an app may rename, make
//! and link in it.
//!
//! A directory is closed to all but root before it is listed: from then on nobody else can add, rename or remove a name
//! in it. Each level keeps its descriptor, so no way back has to be found. Where there would be too many of them, the
//! next directory is first moved up.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, renameat};
use nix::libc;
use nix::sys::stat::{Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, geteuid, unlinkat};

use super::TreeError;
use super::entry::{Kind, Listing, as_path, kind_of};
use super::remove::refused;

/// Levels below which directories are moved up. Sources are seldom deeper.
const DEEP: usize = 32;
/// Levels at most, where a file system will not move them.
const DEEPER: usize = 64;
/// Directories that were changed since the work began. When there are as many, a process makes them as fast as they go.
const FRESH: usize = 1000;

/// Empties the directory `name`, whose `parent` only root may change. `path` is for messages.
pub(super) fn empty(parent: &OwnedFd, name: &CStr, path: &Path) -> Result<(), TreeError> {
    let top = match open(parent, name) {
        Err(Errno::ENOENT) => return Ok(()),
        opened => opened.map_err(refused(parent, name, path))?,
    };
    let begun = close(&top).and_then(|()| changed(&top));
    let begun = begun.map_err(refused(parent, name, path))?;
    let top = Level::new(top, name).map_err(TreeError::at("list", path))?;
    let mut emptying = Emptying {
        path,
        levels: vec![top],
        moved: 0,
        fresh: 0,
        begun,
    };
    while emptying.step()? {}
    Ok(())
}

struct Emptying<'p> {
    path: &'p Path,
    /// The directories being emptied, outermost first.
    levels: Vec<Level>,
    /// How many were moved up.
    moved: usize,
    fresh: usize,
    begun: (i64, i64),
}

struct Level {
    directory: OwnedFd,
    listing: Listing,
    name: CString,
    /// Something was moved here since the listing began.
    again: bool,
}

impl Level {
    fn new(directory: OwnedFd, name: &CStr) -> nix::Result<Self> {
        Ok(Self {
            listing: Listing::open(&directory)?,
            directory,
            name: name.to_owned(),
            again: false,
        })
    }
}

impl Emptying<'_> {
    /// One entry; `false` when none is left.
    fn step(&mut self) -> Result<bool, TreeError> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(false);
        };
        let Some(entry) = level.listing.next() else {
            return self.leave().map(|()| true);
        };
        let directory = &level.directory;
        let removed = entry.and_then(|entry| Ok((kind_of(directory, &entry)?, entry)));
        let (kind, entry) = removed.map_err(|errno| self.fail(errno, c""))?;
        let name = entry.file_name();
        let flag = match kind {
            Kind::Directory => UnlinkatFlags::RemoveDir,
            Kind::File | Kind::Link | Kind::Special(_) => UnlinkatFlags::NoRemoveDir,
        };
        match unlinkat(&self.levels[self.levels.len() - 1].directory, name, flag) {
            Ok(()) | Err(Errno::ENOENT) => Ok(true),
            Err(Errno::ENOTEMPTY | Errno::EEXIST) => self.below(name).map(|()| true),
            Err(errno) => Err(self.fail(errno, name)),
        }
    }

    /// A directory that is not empty.
    fn below(&mut self, name: &CStr) -> Result<(), TreeError> {
        if self.levels.len() >= DEEP && self.move_up(name)? {
            return Ok(());
        }
        if self.levels.len() >= DEEPER {
            return Err(self.fail(Errno::ENAMETOOLONG, name));
        }
        self.enter(name)
    }

    fn enter(&mut self, name: &CStr) -> Result<(), TreeError> {
        let enter = || {
            let inner = open(&self.innermost().directory, name)?;
            let fresh = changed(&inner)? > self.begun;
            close(&inner)?;
            Ok((Level::new(inner, name)?, fresh))
        };
        let (level, fresh) = enter().map_err(|errno| self.fail(errno, name))?;
        self.fresh += usize::from(fresh);
        // Moving a directory changes it, too.
        if self.fresh > FRESH + self.moved {
            let path = self.path.to_owned();
            return Err(TreeError::Growing { path });
        }
        self.levels.push(level);
        Ok(())
    }

    /// Whether an outer level takes it: not every file system moves every directory.
    fn move_up(&mut self, name: &CStr) -> Result<bool, TreeError> {
        let (inner, outer) = self.levels.split_last_mut().expect("a level is left");
        let mut at = 0;
        while at < outer.len() {
            let to = format!(".removed-{}", self.moved);
            match renameat(&inner.directory, name, &outer[at].directory, to.as_str()) {
                Ok(()) => {
                    self.moved += 1;
                    outer[at].again = true;
                    return Ok(true);
                }
                Err(Errno::EXDEV) => at += 1,
                // Another one has this name.
                Err(Errno::ENOTEMPTY | Errno::EEXIST | Errno::ENOTDIR) => self.moved += 1,
                Err(errno) => return Err(self.fail(errno, name)),
            }
        }
        Ok(false)
    }

    /// The innermost directory is empty, and goes; the top is left to the caller.
    fn leave(&mut self) -> Result<(), TreeError> {
        let Some(mut level) = self.levels.pop() else {
            return Ok(());
        };
        if level.again {
            level.again = false;
            level.listing = Listing::open(&level.directory).map_err(|errno| self.fail(errno, &level.name))?;
            self.levels.push(level);
            return Ok(());
        }
        let Some(outer) = self.levels.last() else { return Ok(()) };
        match unlinkat(&outer.directory, level.name.as_c_str(), UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(self.fail(errno, &level.name)),
        }
    }

    fn innermost(&self) -> &Level {
        self.levels.last().expect("a level is left")
    }

    /// An error at a name in the innermost level.
    fn fail(&self, errno: Errno, name: &CStr) -> TreeError {
        let names = self.levels.iter().skip(1).map(|level| level.name.as_c_str());
        let path: std::path::PathBuf = names.chain([name]).map(as_path).collect();
        let path = self.path.join(path);
        match self.levels.last() {
            Some(level) => refused(&level.directory, name, &path)(errno),
            None => TreeError::at("remove", path)(errno),
        }
    }
}

/// Never through a link, and never onto what is mounted there.
fn open(parent: impl AsFd, name: &CStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let resolve = ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_XDEV;
    openat2(parent, name, OpenHow::new().flags(flags).resolve(resolve))
}

/// From now on this process's account alone lists and changes it, also where a descriptor of it is open elsewhere.
fn close(directory: &OwnedFd) -> nix::Result<()> {
    if geteuid().is_root() {
        fchown(directory, Some(Uid::from_raw(0)), Some(Gid::from_raw(0)))?;
    }
    fchmod(directory, Mode::S_IRWXU)
}

/// When its content, name, owner or mode last changed.
fn changed(directory: &OwnedFd) -> nix::Result<(libc::time_t, libc::c_long)> {
    let stat = fstat(directory)?;
    Ok((stat.st_ctime, stat.st_ctime_nsec))
}
