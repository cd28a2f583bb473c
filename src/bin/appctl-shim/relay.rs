//! The app's own notify socket: what an app may say of itself passes, what belongs to the main process does not
//! (`MAINPID`, `FDSTORE`, `STOPPING`, `BARRIER`). `sd_notify(3)`.

use std::io;
use std::mem::discriminant;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::machine::Notified;

/// Longer datagrams are cut, as systemd does.
const LONGEST: usize = 4_096;
const LONGEST_STATUS: usize = 200;

/// The socket the app finds in `NOTIFY_SOCKET`.
pub(crate) struct Relay(UnixDatagram);

impl Relay {
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let _ = std::fs::remove_file(path);
        let socket = UnixDatagram::bind(path)?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// One datagram. File descriptors that came with it are closed by the kernel, which is what a barrier waits for.
    pub(crate) fn receive(&self) -> Vec<Notified> {
        let mut buffer = [0; LONGEST];
        let length = self.0.recv(&mut buffer).unwrap_or(0);
        str::from_utf8(&buffer[..length]).map(read).unwrap_or_default()
    }
}

impl AsFd for Relay {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Of each kind the last.
fn read(datagram: &str) -> Vec<Notified> {
    let mut said: Vec<Notified> = Vec::new();
    let pairs = datagram.lines().filter_map(|line| line.split_once('='));
    for one in pairs.filter_map(|(key, value)| meaning(key, value)) {
        said.retain(|before| discriminant(before) != discriminant(&one));
        said.push(one);
    }
    said
}

fn meaning(key: &str, value: &str) -> Option<Notified> {
    match (key, value) {
        ("READY", "1") => Some(Notified::Ready),
        ("WATCHDOG", "1") => Some(Notified::Watchdog),
        ("STATUS", words) => Some(Notified::Status(words.chars().take(LONGEST_STATUS).collect())),
        ("EXTEND_TIMEOUT_USEC", usec) => usec.parse::<u64>().ok().map(|usec| Notified::Extend(usec / 1_000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Notified, read};

    #[test]
    fn an_app_speaks_for_itself_only() {
        let said = "STATUS=warming; up\nMAINPID=1\nREADY=1\nFDSTORE=1\nSTOPPING=1\nBARRIER=1\nWATCHDOG=1\n\
            EXTEND_TIMEOUT_USEC=2000000\nREADY=0\nWATCHDOG=trigger\nEXTEND_TIMEOUT_USEC=-1\nnonsense\n";
        let passed = [
            Notified::Status("warming; up".to_owned()),
            Notified::Ready,
            Notified::Watchdog,
            Notified::Extend(2_000),
        ];
        assert_eq!(read(said), passed);
    }

    #[test]
    fn of_many_words_in_one_datagram_the_last_counts() {
        let said = format!("{}STATUS=last\nWATCHDOG=1", "STATUS=x\nWATCHDOG=1\n".repeat(200));
        let last = [Notified::Status("last".to_owned()), Notified::Watchdog];
        assert_eq!(read(&said), last);
    }

    #[test]
    fn a_status_is_cut_to_what_a_table_can_show() {
        assert_eq!(
            read(&format!("STATUS={}", "é".repeat(999))),
            [Notified::Status("é".repeat(200))]
        );
    }
}
