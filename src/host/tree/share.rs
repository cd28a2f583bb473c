//! What all releases of an app have in common: in each release a link out of it, to a directory of the app's own. The
//! app may swap anything in there at any time, so root goes through open directories there, too.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::stat::{Mode, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, Uid, fchown, fchownat, symlinkat};

use super::copy::{copy_file, copy_into};
use super::walk::{Kind, as_path, kind, open_directory};
use super::{Access, Bounds, Ignore, Owner, Plan, TreeError, remove};

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
/// release. What is not in common yet is taken over from the release, or made when it is a directory.
pub fn share(release: &Path, common: &Path, shared: Shared<'_>, sealed: Option<Owner>) -> Result<Linked, TreeError> {
    let path = shared.path;
    let top = directory(common)?;
    let stat = fstat(&top).map_err(TreeError::at("look at", common))?;
    let owner = sealed.map(|_| Owner {
        user: Uid::from_raw(stat.st_uid),
        group: Gid::from_raw(stat.st_gid),
    });
    let (outside, name) = below(top, path, Access::Private, owner)?;
    let (inside, _) = below(directory(release)?, path, Access::Sealed, sealed)?;
    let there = ensure(&inside, &outside, &name, shared.directory, owner).map_err(|error| error.below(common))?;
    remove(&release.join(path))?;
    let target = target(path, common.file_name().unwrap_or_default());
    symlinkat(&target, &inside, name.as_c_str()).map_err(TreeError::at("link", path))?;
    if let Some(owner) = sealed {
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        let result = fchownat(&inside, name.as_c_str(), Some(owner.user), Some(owner.group), flags);
        result.map_err(TreeError::at("seal", path))?;
    }
    Ok(Linked {
        target,
        dangling: !there,
    })
}

/// Whether it is in common now.
fn ensure(
    inside: &OwnedFd,
    outside: &OwnedFd,
    name: &CString,
    directory: bool,
    owner: Option<Owner>,
) -> Result<bool, TreeError> {
    let at = || as_path(name);
    if look(outside, name).map_err(TreeError::at("look at", at()))?.is_some() {
        return Ok(true);
    }
    let here = look(inside, name).map_err(TreeError::at("look at", at()))?;
    if take_over(inside, outside, name, here, owner)? {
        return Ok(true);
    }
    if !directory && name.to_bytes().contains(&b'.') {
        return Ok(false);
    }
    mkdirat(outside, name.as_c_str(), Mode::S_IRWXU).map_err(TreeError::at("make", at()))?;
    let made = open_directory(outside, name).map_err(TreeError::at("open", at()))?;
    give(&made, Access::Private, owner).map_err(TreeError::at("give away", at()))?;
    Ok(true)
}

/// A file or directory of the release becomes the first version of what is in common.
fn take_over(
    inside: &OwnedFd,
    outside: &OwnedFd,
    name: &CString,
    here: Option<Kind>,
    owner: Option<Owner>,
) -> Result<bool, TreeError> {
    let at = || as_path(name);
    let never = AtomicBool::new(false);
    // Counted already, when the release was made.
    let plan = Plan {
        owner,
        access: Access::Private,
        bounds: Bounds {
            entries: u64::MAX,
            bytes: u64::MAX,
        },
        ignore: Ignore::nothing(),
        before: None,
        stop: &never,
    };
    match here {
        Some(Kind::Directory) => {
            let from = open_directory(inside, name).map_err(TreeError::at("open", at()))?;
            mkdirat(outside, name.as_c_str(), Mode::S_IRWXU).map_err(TreeError::at("make", at()))?;
            let to = open_directory(outside, name).map_err(TreeError::at("open", at()))?;
            copy_into(&from, &to, plan).map(drop)?;
        }
        Some(Kind::File) => copy_file(inside, outside, name, &plan)?,
        Some(Kind::Link | Kind::Special(_)) | None => return Ok(false),
    }
    Ok(true)
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
        directory = match open_directory(&directory, &name) {
            Err(Errno::ENOENT) => {
                mkdirat(&directory, name.as_c_str(), Mode::S_IRWXU).map_err(TreeError::at("make", path))?;
                let made = open_directory(&directory, &name).map_err(TreeError::at("open", path))?;
                give(&made, access, owner).map_err(TreeError::at("seal", path))?;
                made
            }
            opened => opened.map_err(TreeError::at("open", path))?,
        };
    }
    Ok((directory, last))
}

fn directory(path: &Path) -> Result<OwnedFd, TreeError> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    open(path, flags, Mode::empty()).map_err(TreeError::at("open", path))
}

fn give(directory: &OwnedFd, access: Access, owner: Option<Owner>) -> nix::Result<()> {
    if let Some(owner) = owner {
        fchown(directory, Some(owner.user), Some(owner.group))?;
    }
    fchmod(directory, Mode::from_bits_truncate(access.mode(true)))
}

fn look(directory: &OwnedFd, name: &CString) -> nix::Result<Option<Kind>> {
    match fstatat(directory, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(kind(stat.st_mode))),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// From the directory of the link up to the app's own, `releases/ID/…`, and down again.
fn target(path: &Path, common: &OsStr) -> PathBuf {
    let ups = std::iter::repeat_n(OsString::from(".."), path.components().count() + 1);
    ups.collect::<PathBuf>().join(common).join(path)
}
