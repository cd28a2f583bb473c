//! Node's own IPC channel, for apps written for PM2: `process.send("ready")` comes in, `"shutdown"` can go out.
//! Newline-delimited JSON on a stream socket; every other message is read and dropped, so that no app blocks on it.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::lines::Lines;

/// The app closed its end.
#[derive(Debug)]
pub(crate) struct Hangup;

/// Our end.
pub(crate) struct Ipc {
    stream: UnixStream,
    lines: Lines,
}

impl Ipc {
    /// Our end, and the app's, which survives exec(2).
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, apps) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
        let stream = UnixStream::from(ours);
        stream.set_nonblocking(true)?;
        Ok((
            Self {
                stream,
                lines: Lines::default(),
            },
            apps,
        ))
    }

    /// Whether `"ready"` was among what came.
    pub(crate) fn read(&mut self) -> Result<bool, Hangup> {
        let mut buffer = [0; 1_024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Hangup),
            Ok(length) => {
                let mut ready = false;
                self.lines
                    .feed(&buffer[..length], |line| ready |= line == Ok(b"\"ready\""));
                Ok(ready)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(Hangup),
        }
    }

    /// PM2's `shutdown_with_message`.
    pub(crate) fn send_shutdown(&mut self) -> io::Result<()> {
        self.stream.write_all(b"\"shutdown\"\n")
    }
}

impl AsFd for Ipc {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
