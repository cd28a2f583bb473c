//! One HTTP readiness probe: `GET` on this instance's private socket, where no sibling can answer. Never blocks.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

/// As much of an answer as a message shows.
const LONGEST: usize = 256;

/// An attempt under way.
pub(crate) struct Probe {
    stream: UnixStream,
    answer: Vec<u8>,
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
                answer: Vec::new(),
                wanted,
            }),
            Err(error) => Err(format!("GET {path}: {error}")),
        }
    }

    /// `None`: the answer is not complete.
    pub(crate) fn read(&mut self) -> Option<Result<(), String>> {
        let mut buffer = [0; LONGEST];
        let ended = match self.stream.read(&mut buffer) {
            Ok(0) => true,
            Ok(length) => {
                let room = LONGEST - self.answer.len();
                self.answer.extend_from_slice(&buffer[..length.min(room)]);
                self.answer.len() == LONGEST
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(_) => true,
        };
        match status(&self.answer) {
            Some(status) if status == self.wanted => Some(Ok(())),
            _ if ended => Some(Err(self.complaint())),
            _ => None,
        }
    }

    fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.answer);
        let wanted = self.wanted;
        match (status(&self.answer), text.split_once("\r\n\r\n")) {
            (Some(status), body) => {
                let body = body
                    .map_or("", |(_, body)| body)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ");
                format!("its probe was answered with {status}, not {wanted}: {body}")
            }
            (None, _) if text.is_empty() => "its probe was hung up on".to_owned(),
            (None, _) => "its probe was not answered in HTTP".to_owned(),
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

/// The status of an answer whose first line is complete.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer
        .split(|byte| *byte == b'\n')
        .next()
        .filter(|line| line.ends_with(b"\r"))?;
    let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next().filter(|code| code.len() == 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn the_status_is_in_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 204 No Content\r\n"), Some(204));
        assert_eq!(status(b"HTTP/1.0 200\r\nX: y\r\n\r\nbody"), Some(200));
        for other in [
            &b""[..],
            b"HTTP/1.1 20",
            b"HTTP/1.1 200 OK",
            b"SSH-2.0-x\r\n",
            b"HTTP/1.1 2000 x\r\n",
            b"\xff 200 \r\n",
        ] {
            assert_eq!(status(other), None, "{other:?}");
        }
    }
}
