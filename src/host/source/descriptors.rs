//! Descriptors that a socket brought, unix(7).

#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::{FromRawFd as _, OwnedFd};

use nix::sys::socket::ControlMessageOwned;

/// Owns what one message brought.
pub(super) fn own(control: ControlMessageOwned) -> Vec<File> {
    let ControlMessageOwned::ScmRights(numbers) = control else {
        return Vec::new();
    };
    let own = |number| {
        // SAFETY: the kernel made it for this process when the message was received, and nothing else knows it.
        unsafe { OwnedFd::from_raw_fd(number) }
    };
    numbers.into_iter().map(own).map(File::from).collect()
}
