//! Notes to the journal by its native protocol, <https://systemd.io/JOURNAL_NATIVE_PROTOCOL>: fields of their own, and
//! the kernel tells journald who sent them. An app can write any entry that looks like one, but not as this process.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use appctl::contract::{Note, encode};

use crate::{journal, last_words, log};

/// A queue that its own app keeps full must not cost a note; a journald that is gone must not hold up the shim for long.
const PATIENCE: Duration = Duration::from_secs(1);

/// The way to journald.
pub(crate) struct Notes {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    identifier: String,
    said: bool,
}

impl Notes {
    /// `streams` is where journald takes streams; entries are taken beside it.
    pub(crate) fn new(streams: &Path, identifier: &str) -> Self {
        let path = streams.with_file_name("socket");
        Self {
            socket: connect(&path).ok(),
            path,
            identifier: identifier.to_owned(),
            said: false,
        }
    }

    /// One note. As a line too where journald does not take it, or where the operator has put stderr elsewhere.
    pub(crate) fn note(&mut self, note: &Note) {
        let mut fields = note.to_fields();
        fields.push(("SYSLOG_IDENTIFIER", self.identifier.clone()));
        let sent = self.send(&encode(&fields)).is_ok();
        self.said |= sent;
        if !sent || !journal::has_stderr() {
            log::line(note.level(), &note.to_string());
        }
    }

    /// Before the shim ends: journald looks its unit up while it lives.
    pub(crate) fn settle(&self) {
        if let Some(socket) = self.socket.as_ref().filter(|_| self.said) {
            last_words::settle(&[socket.as_fd()]);
        }
    }

    /// Once more on a new connection, if journald's socket is a new one.
    fn send(&mut self, entry: &[u8]) -> io::Result<()> {
        let Some(socket) = &self.socket else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        match socket.send(entry) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                let socket = connect(&self.path)?;
                socket.send(entry)?;
                self.socket = Some(socket);
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}
