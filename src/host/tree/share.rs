//! What all releases of an app have in common: in each release a link out of it, to a directory of the app's own. The
//! app may swap anything in there at any time, so root goes through open directories there, too.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{Gid, Uid, fchownat, symlinkat, syncfs};

use super::copy::{copy_file, copy_into};
use super::entry::{Kind, as_path, look, open_directory};
use super::place::{give, new_directory, place};
use super::{Access, Bounds, Ignore, Owner, Plan, TreeError, Walk, remove};

/// One thing in common.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'s> {
    /// Names below the release.
    pub path: &'s Path,
    /// Certainly a directory; what is there decides otherwise, and then the name: one with a dot is a file.
    pub directory: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// What the link in the release says.
    pub target: PathBuf,
    /// A file that is not there yet.
    pub dangling: bool,
}

/// Replaces a path of the release by a link to the same path below `common`, which is `../../NAME` as seen from the
/// release. What is not in common yet is taken over from the release, or made when it is a directory; it is on the disk
/// before the release loses its own.
pub fn share(release: &Path, common: &Path, shared: Shared<'_>, sealed: Option<Owner>) -> Result<Linked, TreeError> {
    let path = shared.path;
    let top = directory(common)?;
    let stat = fstat(&top).map_err(TreeError::at("inspect", common))?;
    let owner = sealed.map(|_| Owner {
        user: Uid::from_raw(stat.st_uid),
        group: Gid::from_raw(stat.st_gid),
    });
    let (outside, name) = below(top, path, Access::Private, owner)?;
    let (inside, _) = below(directory(release)?, path, Access::Sealed, sealed)?;
    let both = Both {
        inside: &inside,
        outside: &outside,
        name: &name,
        owner,
    };
    let there = both.ensure(shared.directory).map_err(|error| error.below(common))?;
    syncfs(&outside).map_err(TreeError::at("flush", common))?;
    remove(&release.join(path))?;
    let target = target(path, common.file_name().unwrap_or_default());
    symlinkat(&target, &inside, name.as_c_str()).map_err(TreeError::at("link", path))?;
    if let Some(owner) = sealed {
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        let result = fchownat(&inside, name.as_c_str(), Some(owner.user), Some(owner.group), flags);
        result.map_err(TreeError::at("seal", path))?;
    }
    syncfs(&inside).map_err(TreeError::at("flush", release))?;
    Ok(Linked {
        target,
        dangling: !there,
    })
}

/// A name in a directory of the release, and in the one of what is in common.
struct Both<'p> {
    inside: &'p OwnedFd,
    outside: &'p OwnedFd,
    name: &'p CStr,
    /// Of what is in common.
    owner: Option<Owner>,
}

impl Both<'_> {
    /// Whether it is in common now.
    fn ensure(&self, directory: bool) -> Result<bool, TreeError> {
        let Self { outside, name, .. } = *self;
        let look_at = |directory| look(directory, name).map_err(TreeError::at("inspect", as_path(name)));
        if look_at(outside)?.is_some() {
            return Ok(true);
        }
        match look_at(self.inside)? {
            Some(Kind::Directory) => place(outside, name, |beside| self.take_directory(beside))?,
            Some(Kind::File) => place(outside, name, |beside| self.take_file(beside))?,
            Some(Kind::Link | Kind::Special(_)) | None if !directory && name.to_bytes().contains(&b'.') => {
                return Ok(false);
            }
            Some(Kind::Link | Kind::Special(_)) | None => make(outside, name, Access::Private, self.owner)?,
        }
        Ok(true)
    }

    /// A directory of the release becomes the first version of what is in common.
    fn take_directory(&self, beside: &CStr) -> Result<(), TreeError> {
        let path = as_path(self.name);
        let from = open_directory(self.inside, self.name).map_err(TreeError::at("open", path))?;
        let to = new_directory(self.outside, beside).map_err(TreeError::at("create", path))?;
        let never = AtomicBool::new(false);
        copy_into(Walk::new(from, Ignore::nothing()), to, plan(self.owner, &never)).map(drop)
    }

    /// So does a file.
    fn take_file(&self, beside: &CStr) -> Result<(), TreeError> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let from = openat(self.inside, self.name, flags, Mode::empty());
        let from = from.map_err(TreeError::at("read", as_path(self.name)))?;
        let never = AtomicBool::new(false);
        copy_file(&File::from(from), self.outside, beside, plan(self.owner, &never))
    }
}

/// What is taken over was counted already, when the release was made.
fn plan(owner: Option<Owner>, never: &AtomicBool) -> Plan<'_> {
    Plan {
        owner,
        access: Access::Private,
        bounds: Bounds {
            entries: u64::MAX,
            bytes: u64::MAX,
        },
        before: None,
        stop: never,
    }
}

fn make(directory: &OwnedFd, name: &CStr, access: Access, owner: Option<Owner>) -> Result<(), TreeError> {
    place(directory, name, |beside| {
        let made = new_directory(directory, beside).and_then(|made| give(&made, access, owner));
        made.map_err(TreeError::at("create", as_path(name)))
    })
}

/// The directory that holds the last name of a path, made as far as it is missing, and that name.
fn below(top: OwnedFd, path: &Path, access: Access, owner: Option<Owner>) -> Result<(OwnedFd, CString), TreeError> {
    let mut names: Vec<CString> = Vec::new();
    for name in path {
        let name = CString::new(name.as_bytes()).map_err(|_| TreeError::at("use", path)(Errno::EINVAL))?;
        names.push(name);
    }
    let last = names.pop().ok_or_else(|| TreeError::at("use", path)(Errno::EINVAL))?;
    let mut directory = top;
    for name in names {
        if look(&directory, &name)
            .map_err(TreeError::at("inspect", path))?
            .is_none()
        {
            make(&directory, &name, access, owner)?;
        }
        directory = open_directory(&directory, &name).map_err(TreeError::at("open", path))?;
    }
    Ok((directory, last))
}

fn directory(path: &Path) -> Result<OwnedFd, TreeError> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    open(path, flags, Mode::empty()).map_err(TreeError::at("open", path))
}

/// From the directory of the link up to the app's own, `releases/ID/…`, and down again.
fn target(path: &Path, common: &OsStr) -> PathBuf {
    let ups = std::iter::repeat_n(OsString::from(".."), path.components().count() + 1);
    ups.collect::<PathBuf>().join(common).join(path)
}
