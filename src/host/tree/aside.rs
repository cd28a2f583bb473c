//! Names of what is being removed: `.NAME.removed-1`. A tree gets such a name first, so that its own is free at once, and
//! the next removal of that name finishes what this one could not.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{RenameFlags, renameat2};

use super::entry::Listing;

/// So much of a name that all of it is no longer than a name can be.
const KEPT: usize = 200;
const MARK: &[u8] = b".removed-";

/// Gives a directory such a name, and says which. One that has such a name keeps it.
pub(super) fn set(parent: &OwnedFd, name: &CStr) -> nix::Result<CString> {
    if is_aside(name) {
        return Ok(name.to_owned());
    }
    for number in 1_u32.. {
        let aside = [&beginning(name)[..], number.to_string().as_bytes()].concat();
        let aside = CString::new(aside).map_err(|_| Errno::EINVAL)?;
        match renameat2(parent, name, parent, aside.as_c_str(), RenameFlags::RENAME_NOREPLACE) {
            Err(Errno::EEXIST) => {}
            // Some file systems cannot rename every directory, or not in this way: it is emptied where it is.
            Err(Errno::EXDEV | Errno::EINVAL) => break,
            result => return result.map(|()| aside),
        }
    }
    Ok(name.to_owned())
}

/// What is left of earlier removals of a name.
pub(super) fn leftovers(parent: &OwnedFd, name: &CStr) -> nix::Result<Vec<CString>> {
    let beginning = beginning(name);
    let mut found = Vec::new();
    for entry in Listing::open(parent)? {
        let entry = entry?;
        let other = entry.file_name();
        if other != name && other.to_bytes().starts_with(&beginning) && is_aside(other) {
            found.push(other.to_owned());
        }
    }
    Ok(found)
}

fn beginning(name: &CStr) -> Vec<u8> {
    let bytes = name.to_bytes();
    [b".", &bytes[..bytes.len().min(KEPT)], MARK].concat()
}

fn is_aside(name: &CStr) -> bool {
    let bytes = name.to_bytes();
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && bytes.starts_with(b".") && bytes[..bytes.len() - digits].ends_with(MARK)
}
