//! Puts the inherited sockets where sd_listen_fds(3) looks for them: at 3 and up, without gaps. Only `exec` may call
//! this, where nothing else of the process is alive any more. The only file that may name fds it does not own.
#![allow(unsafe_code)]

use std::os::fd::{BorrowedFd, RawFd};

use nix::fcntl::{FcntlArg, fcntl};
use nix::unistd::close;

/// The first fd of the protocol.
const FIRST: RawFd = 3;

/// Moves `numbers` to 3.., in their order; what was there before is closed.
pub(crate) fn place(numbers: &[RawFd]) -> nix::Result<()> {
    if numbers.iter().zip(FIRST..).all(|(number, place)| *number == place) {
        return Ok(());
    }
    let count = RawFd::try_from(numbers.len()).unwrap_or(RawFd::MAX);
    let above = numbers.iter().copied().max().unwrap_or(FIRST).max(FIRST + count) + 1;
    let parked = numbers
        .iter()
        .map(|number| duplicate(*number, FcntlArg::F_DUPFD_CLOEXEC(above)));
    let parked = parked.collect::<nix::Result<Vec<_>>>()?;
    for number in numbers.iter().copied().chain(FIRST..FIRST + count) {
        // Closed before, or never open: both are what is wanted.
        let _ = close(number);
    }
    parked
        .iter()
        .try_for_each(|number| duplicate(*number, FcntlArg::F_DUPFD(FIRST)).map(drop))
}

fn duplicate(number: RawFd, how: FcntlArg<'_>) -> nix::Result<RawFd> {
    // SAFETY: the shim left these open for this process, which closes none while a borrow of it lives.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(borrowed, how)
}
