//! The app's stderr as a journal stream of its own, so that `appctl logs` can tell it from stdout: the stream protocol
//! of systemd-journald.service(8), `/run/systemd/journal/stdout`. If anything fails the app keeps the inherited stderr.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt::SndBuf};
use nix::sys::stat::fstat;

use crate::fds;

/// Where journald takes streams.
pub(crate) const SOCKET: &str = "/run/systemd/journal/stdout";
/// `LOG_WARNING` of syslog(3): lines without a priority of their own get it.
const PRIORITY: u8 = 4;
/// As systemd gives its own streams: an app must not wait for journald.
const BUFFER: usize = 8 * 1024 * 1024;

/// Whether stderr is the journal: an operator who sent it elsewhere (`StandardError=`) keeps it there.
pub(crate) fn is_stderr() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    name(io::stderr()).is_some_and(|name| name == stream)
}

/// How long a dead app may wait for journald to read what it wrote, in steps.
const PATIENCE: u32 = 100;
const STEP: Duration = Duration::from_millis(2);

/// The app's stderr, kept open here as well.
pub(crate) struct Stream {
    socket: UnixStream,
    name: OsString,
}

impl Stream {
    /// Connects to journald.
    pub(crate) fn open(socket: &Path, identifier: &str) -> io::Result<Self> {
        let mut socket = UnixStream::connect(socket)?;
        let _ = setsockopt(&socket, SndBuf, &BUFFER);
        socket.shutdown(Shutdown::Read)?;
        socket.write_all(header(identifier).as_bytes())?;
        let name = name(&socket).ok_or_else(io::Error::last_os_error)?.into();
        Ok(Self { socket, name })
    }

    /// The end that the app gets.
    pub(crate) fn for_app(&self) -> io::Result<OwnedFd> {
        Ok(self.socket.try_clone()?.into())
    }

    /// `JOURNAL_STREAM` of systemd.exec(5), which names this stream to the app.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Waits a moment until journald has read everything. It finds a line's unit through the process that wrote it, so
    /// a dead app must not be reaped before: its last words would belong to no unit.
    pub(crate) fn settle(&self) {
        for _ in 0..PATIENCE {
            if fds::unread(&self.socket) == 0 {
                return;
            }
            thread::sleep(STEP);
        }
    }
}

/// Identifier, unit (journald finds it itself), priority, then four flags: `<N>` prefixes count, no forwarding.
fn header(identifier: &str) -> String {
    format!("{identifier}\n\n{PRIORITY}\n1\n0\n0\n0\n")
}

fn name(stream: impl std::os::fd::AsFd) -> Option<String> {
    let stat = fstat(stream).ok()?;
    Some(format!("{}:{}", stat.st_dev, stat.st_ino))
}
