//! The app's stderr as a journal stream of its own, so that `appctl logs` can tell it from stdout: the stream protocol
//! of systemd-journald.service(8), `/run/systemd/journal/stdout`. If anything fails the app keeps the inherited stderr.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::socket::{setsockopt, sockopt::SndBuf};
use nix::sys::stat::fstat;

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

/// Opens a stream; the second part is the `JOURNAL_STREAM` that names it, systemd.exec(5).
pub(crate) fn open(socket: &Path, identifier: &str) -> io::Result<(UnixStream, OsString)> {
    let mut stream = UnixStream::connect(socket)?;
    let _ = setsockopt(&stream, SndBuf, &BUFFER);
    stream.shutdown(Shutdown::Read)?;
    stream.write_all(header(identifier).as_bytes())?;
    let name = name(&stream).ok_or_else(io::Error::last_os_error)?;
    Ok((stream, name.into()))
}

/// Identifier, unit (journald finds it itself), priority, then four flags: `<N>` prefixes count, no forwarding.
fn header(identifier: &str) -> String {
    format!("{identifier}\n\n{PRIORITY}\n1\n0\n0\n0\n")
}

fn name(stream: impl std::os::fd::AsFd) -> Option<String> {
    let stat = fstat(stream).ok()?;
    Some(format!("{}:{}", stat.st_dev, stat.st_ino))
}
