//! An entry of this program's own, with fields, for journald.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::contract::encode;

const SOCKET: &str = "/run/systemd/journal/socket";

/// An app may keep journald's queue full, and journald may hang: the first must not cost an entry, nor the second a
/// noticeable time.
const PATIENCE: Duration = Duration::from_millis(250);

/// Gives an entry to journald. The kernel tells journald who sent it.
pub fn send(fields: &[(&str, String)]) -> io::Result<()> {
    send_to(Path::new(SOCKET), fields)
}

fn send_to(path: &Path, fields: &[(&str, String)]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send(&encode(fields)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::send_to;
    use std::os::unix::net::UnixDatagram;
    use std::time::{Duration, Instant};

    #[test]
    fn an_entry_arrives_whole() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("socket");
        let journald = UnixDatagram::bind(&path).expect("bound");
        send_to(&path, &[("A", "1".to_owned())]).expect("sent");
        let mut entry = [0; 16];
        let length = journald.recv(&mut entry).expect("an entry");
        assert_eq!(&entry[..length], b"A=1\n");
    }

    #[test]
    fn a_journald_that_is_gone_or_hangs_holds_nothing_up() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("socket");
        let fields = [("A", "1".to_owned())];
        assert!(send_to(&path, &fields).is_err());
        let _hangs = UnixDatagram::bind(&path).expect("bound");
        // As many entries as its queue takes, and the one that it does not.
        let begin = Instant::now();
        while send_to(&path, &fields).is_ok() {
            assert!(begin.elapsed() < Duration::from_secs(20), "its queue has no end");
        }
        let begin = Instant::now();
        assert!(send_to(&path, &fields).is_err());
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
}
