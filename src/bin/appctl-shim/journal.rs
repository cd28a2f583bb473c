//! The app's stderr as a journal stream of its own, so that `appctl logs` can tell it from stdout: the stream protocol
//! of systemd-journald.service(8), `/run/systemd/journal/stdout`. If anything fails the app keeps the inherited stderr.

use std::ffi::{OsStr, OsString};
use std::io::{self, Stdout, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::socket::{setsockopt, sockopt::SndBuf};
use nix::sys::stat::fstat;

/// `LOG_WARNING` of syslog(3): lines without a priority of their own get it.
const PRIORITY: u8 = 4;
/// As systemd gives its own streams: an app must not wait for journald.
const BUFFER: usize = 8 * 1024 * 1024;

/// Stdout, if it is the journal. systemd gives it the same stream as stderr.
pub(crate) fn stdout() -> Option<Stdout> {
    Some(io::stdout()).filter(|stdout| is_journal(stdout))
}

/// Whether stderr is the journal.
pub(crate) fn has_stderr() -> bool {
    is_journal(io::stderr())
}

/// Whether it is the journal: an operator who sent it elsewhere (`StandardError=`) keeps it there.
pub(crate) fn is_journal(stream: impl AsFd) -> bool {
    let journal = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    name(stream).is_some_and(|name| name == journal)
}

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
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Identifier, unit (journald finds it itself), priority, then four flags: `<N>` prefixes count, no forwarding.
fn header(identifier: &str) -> String {
    format!("{identifier}\n\n{PRIORITY}\n1\n0\n0\n0\n")
}

fn name(stream: impl AsFd) -> Option<String> {
    let stat = fstat(stream).ok()?;
    Some(format!("{}:{}", stat.st_dev, stat.st_ino))
}
