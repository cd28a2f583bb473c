//! One HTTP readiness probe: `GET` on this instance's private socket, where no sibling can answer. Never blocks.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use crate::answer::Answer;

/// An attempt under way.
pub(crate) struct Probe {
    stream: UnixStream,
    answer: Answer,
    wanted: u16,
}

impl Probe {
    /// Sends the request. The error is for people.
    pub(crate) fn start(socket_path: &Path, path: &str, wanted: u16) -> Result<Self, String> {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: appctl\r\nConnection: close\r\n\r\n");
        let sent = open(socket_path).and_then(|mut stream| stream.write_all(request.as_bytes()).map(|()| stream));
        match sent {
            Ok(stream) => Ok(Self {
                stream,
                answer: Answer::default(),
                wanted,
            }),
            Err(error) => Err(format!("GET {path}: {error}")),
        }
    }

    /// `None`: the answer is not complete.
    pub(crate) fn read(&mut self) -> Option<Result<(), String>> {
        let mut buffer = [0; 512];
        let ended = match self.stream.read(&mut buffer) {
            Ok(0) => true,
            Ok(length) => !self.answer.take(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(_) => true,
        };
        match self.answer.status() {
            Some(status) if status == self.wanted => Some(Ok(())),
            _ if ended => Some(Err(self.answer.complaint(self.wanted))),
            _ => None,
        }
    }
}

impl AsFd for Probe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn open(path: &Path) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let stream = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(stream.into())
}
