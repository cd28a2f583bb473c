//! Puts the inherited sockets where `sd_listen_fds(3)` looks for them: at 3 and up, without gaps. Only `exec` may do
//! that, where nothing else of the process is alive any more. The only file that may name fds it does not own.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::unistd::close;

/// The first fd of the protocol.
const FIRST: RawFd = 3;

/// Closes everything but stdio, the first `sockets` and `channel` at the coming execve(2): what somebody left open
/// around the shim is not the app's, and a stray copy of a socket keeps its port busy.
pub(crate) fn keep_only(sockets: usize, channel: Option<RawFd>) -> nix::Result<()> {
    let first = libc::c_uint::try_from(sockets)
        .unwrap_or(libc::c_uint::MAX)
        .saturating_add(FIRST.unsigned_abs());
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    // SAFETY: this closes nothing yet; every fd stays valid until the process image is replaced.
    unsafe { libc::close_range(first, libc::c_uint::MAX, flags) };
    channel.map_or(Ok(()), |number| {
        on(number, FcntlArg::F_SETFD(FdFlag::empty())).map(drop)
    })
}

/// Moves `numbers` to 3.., in their order; what was there before is closed.
pub(crate) fn place(numbers: &[RawFd]) -> nix::Result<()> {
    if numbers.iter().zip(FIRST..).all(|(number, place)| *number == place) {
        return Ok(());
    }
    let count = RawFd::try_from(numbers.len()).unwrap_or(RawFd::MAX);
    let above = numbers.iter().copied().max().unwrap_or(FIRST).max(FIRST + count) + 1;
    let parked = numbers
        .iter()
        .map(|number| on(*number, FcntlArg::F_DUPFD_CLOEXEC(above)));
    let parked = parked.collect::<nix::Result<Vec<_>>>()?;
    for number in numbers.iter().copied().chain(FIRST..FIRST + count) {
        // Closed before, or never open: both are what is wanted.
        let _ = close(number);
    }
    parked
        .iter()
        .try_for_each(|number| on(*number, FcntlArg::F_DUPFD(FIRST)).map(drop))
}

/// Bytes that the other end has not read yet, `SIOCOUTQ` of unix(7); 0 when the kernel does not say, as for a file.
pub(crate) fn unread(stream: BorrowedFd<'_>) -> i32 {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the fd is open as long as it is borrowed, and the kernel writes one int.
    let answer = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if answer == 0 { bytes } else { 0 }
}

fn on(number: RawFd, how: FcntlArg<'_>) -> nix::Result<RawFd> {
    // SAFETY: the shim left these open for this process, which closes none while a borrow of it lives.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(borrowed, how)
}
