//! Puts something new into a directory of an app, which may swap whatever is in there at any time. It is made under a
//! name beside its own, looked at before it is given away, and renamed when it is whole.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{RenameFlags, renameat, renameat2};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{fchown, geteuid};

use super::TreeError;
use super::copy::{Access, Owner};
use super::entry::{Listing, as_path, look, open_directory};
use super::remove::clear_in;

/// Makes something with `make`, which is told the name beside, and puts it in its place, unless there is something by now.
pub(super) fn place(
    directory: &OwnedFd,
    name: &CStr,
    make: impl FnOnce(&CStr) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    let beside = beside(name);
    // What a killed attempt left.
    drop(clear_in(directory, &beside, as_path(name))?);
    let placed =
        make(&beside).and_then(|()| rename(directory, &beside, name).map_err(TreeError::at("create", as_path(name))));
    if look(directory, &beside).is_ok_and(|left| left.is_some()) {
        drop(clear_in(directory, &beside, as_path(name))?);
    }
    placed
}

/// A new directory that is certainly the one that was made: root's alone, and empty. An app has nothing of the kind that
/// it could put in its place, but one that is as good.
pub(super) fn new_directory(parent: &OwnedFd, name: &CStr) -> nix::Result<OwnedFd> {
    mkdirat(parent, name, Mode::S_IRWXU)?;
    let made = open_directory(parent, name)?;
    let stat = fstat(&made)?;
    let own = stat.st_uid == geteuid().as_raw() && stat.st_mode & 0o7777 == 0o700;
    if !own || Listing::open(&made)?.next().is_some() {
        return Err(Errno::ESTALE);
    }
    Ok(made)
}

/// Gives a new directory away.
pub(super) fn give(directory: &OwnedFd, access: Access, owner: Option<Owner>) -> nix::Result<()> {
    if let Some(owner) = owner {
        fchown(directory, Some(owner.user), Some(owner.group))?;
    }
    fchmod(directory, Mode::from_bits_truncate(access.mode(true)))
}

fn rename(directory: &OwnedFd, beside: &CStr, name: &CStr) -> nix::Result<()> {
    match renameat2(directory, beside, directory, name, RenameFlags::RENAME_NOREPLACE) {
        // A file system without it, as NFS is.
        Err(Errno::EINVAL) if look(directory, name)?.is_none() => renameat(directory, beside, directory, name),
        Err(Errno::EEXIST | Errno::EINVAL) => Ok(()),
        renamed => renamed,
    }
}

fn beside(name: &CStr) -> CString {
    /// So much of a name that all of it is no longer than a name can be.
    const KEPT: usize = 200;
    let bytes = name.to_bytes();
    let beside = [b".", &bytes[..bytes.len().min(KEPT)], b".appctl"].concat();
    CString::new(beside).expect("a name has no zero byte")
}
