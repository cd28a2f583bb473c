//! Notes to the journal by its native protocol, <https://systemd.io/JOURNAL_NATIVE_PROTOCOL>: fields of their own, and
//! the kernel tells journald who sent them. An app can write any entry that looks like one, but not as this process.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use appctl::contract::Note;

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

/// A value of several lines goes with its length, so that no line of it becomes a field.
fn encode(fields: &[(&str, String)]) -> Vec<u8> {
    let mut entry = Vec::new();
    for (name, value) in fields {
        entry.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            entry.push(b'\n');
            entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            entry.push(b'=');
        }
        entry.extend_from_slice(value.as_bytes());
        entry.push(b'\n');
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn no_line_of_a_value_becomes_a_field() {
        let fields = [("A", "1".to_owned()), ("B", "x\nA=2".to_owned())];
        assert_eq!(encode(&fields), b"A=1\nB\n\x05\0\0\0\0\0\0\0x\nA=2\n");
    }
}
