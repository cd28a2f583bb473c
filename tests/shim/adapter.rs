//! The test in the place of the Node adapter: one connection to the control socket.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::harness::{PATIENCE, eventually};

/// One connection.
pub(crate) struct Adapter(UnixStream);

impl Adapter {
    /// Connects; says nothing.
    #[track_caller]
    pub(crate) fn connect(socket: &Path) -> Self {
        let stream = eventually("a control socket", || UnixStream::connect(socket).ok());
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self(stream)
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the shim reads");
    }

    /// The next line of the shim.
    #[track_caller]
    pub(crate) fn hears(&mut self) -> String {
        let mut line = String::new();
        let mut byte = [0];
        while !line.ends_with('\n') {
            assert_eq!(
                self.0.read(&mut byte).expect("a line in time"),
                1,
                "hung up after {line:?}"
            );
            line.push(char::from(byte[0]));
        }
        line.trim_end().to_owned()
    }

    /// Whether the shim hung up. Silence is not hanging up.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(length) => length == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}
