//! Nobody is gone before journald has noted what they said. It finds a line's unit through the process that wrote it; the
//! last words of one that is no more would belong to no unit, and `journalctl -u` would not show them.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, send};

use crate::fds;

/// How long the dead may wait for journald. With thirty programs for each processor it takes a second.
const PATIENCE: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_micros(250);

/// Waits a moment until journald has noted everything from these streams to it.
pub(crate) fn settle(streams: &[BorrowedFd<'_>]) {
    if !are_read(streams) {
        return;
    }
    // It looks the process up after it has read, but before it reads on. Of an empty line it makes nothing.
    for stream in streams {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let _ = send(stream.as_raw_fd(), b"\n", flags);
    }
    are_read(streams);
}

fn are_read(streams: &[BorrowedFd<'_>]) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        if streams.iter().all(|stream| fds::unread(*stream) == 0) {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(STEP);
    }
}
