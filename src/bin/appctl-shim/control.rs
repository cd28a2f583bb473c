//! The control socket: adapters of the app's Node processes connect, speak lines, are told to drain. Protocol v1.
//! Trusts nobody: only our own user may connect, everything is bounded, and nonsense ends one connection only.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, Uid};

use crate::lines::LONGEST;
use crate::log;
use crate::machine::{Event, Level, Millis, PeerId};
use crate::speech::Speech;

/// More Node processes than this in one instance are not served.
const MOST: usize = 128;

/// The listener and its connections.
pub(crate) struct Control {
    listener: UnixListener,
    peers: Vec<Peer>,
    next: PeerId,
    warned: bool,
    /// accept(2) failed: no more until a connection ends, or the loop would spin.
    exhausted: bool,
}

struct Peer {
    id: PeerId,
    stream: UnixStream,
    speech: Speech,
}

impl Control {
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            peers: Vec::new(),
            next: 0,
            warned: false,
            exhausted: false,
        })
    }

    /// Whether the listener is worth polling.
    pub(crate) fn accepts(&self) -> bool {
        !self.exhausted
    }

    /// Every connection, to be polled.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (PeerId, BorrowedFd<'_>)> {
        self.peers.iter().map(|peer| (peer.id, peer.stream.as_fd()))
    }

    /// Takes one connection; a stranger's, or one too many, is closed at once.
    pub(crate) fn accept(&mut self) {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => return self.exhausted = error.kind() != io::ErrorKind::WouldBlock,
        };
        let ours = getsockopt(&stream, PeerCredentials).is_ok_and(|peer| peer.uid() == Uid::effective().as_raw());
        if !ours || self.peers.len() >= MOST || stream.set_nonblocking(true).is_err() {
            return self.warn("a connection was refused");
        }
        let peer = Peer {
            id: self.next,
            stream,
            speech: Speech::default(),
        };
        self.next = self.next.wrapping_add(1);
        self.peers.push(peer);
    }

    /// Reads what a connection has, and gives every event in it to `each`.
    pub(crate) fn read(&mut self, id: PeerId, mut each: impl FnMut(Event)) {
        let Some(at) = self.peers.iter().position(|peer| peer.id == id) else {
            return;
        };
        let mut unknown = None;
        let open = self.peers[at].read(|word| unknown = unknown.take().or(Some(word)), &mut each);
        if let Some(word) = unknown {
            self.warn(&format!("unknown or malformed word {word:?} ignored"));
        }
        if !open {
            self.peers.swap_remove(at);
            self.exhausted = false;
            each(Event::Closed(id));
        }
    }

    /// Asks one adapter to drain.
    pub(crate) fn tell_stop(&mut self, id: PeerId, linger: Millis, timeout: Millis) {
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == id) {
            // A few bytes into an empty buffer; an adapter that is gone shows at the next read.
            let _ = peer.stream.write_all(format!("stop {linger} {timeout}\n").as_bytes());
        }
    }

    /// Lets every adapter take connections from the shared sockets.
    pub(crate) fn tell_accept(&mut self) {
        for peer in &mut self.peers {
            let _ = peer.stream.write_all(b"accept 0 0\n");
        }
    }

    /// Tells every adapter that the app is to stop by message; false when there is none. Two numbers, as every order
    /// has, that mean nothing yet.
    pub(crate) fn tell_shutdown(&mut self) -> bool {
        for peer in &mut self.peers {
            let _ = peer.stream.write_all(b"shutdown 0 0\n");
        }
        !self.peers.is_empty()
    }

    /// Makes one adapter tell its stack. The kernel knows whose connection it is, whatever was said on it.
    pub(crate) fn trace(&self, id: PeerId) {
        let peer = self.peers.iter().find(|peer| peer.id == id);
        let pid = peer.and_then(|peer| Some(getsockopt(&peer.stream, PeerCredentials).ok()?.pid()));
        if let Some(pid) = pid.filter(|pid| *pid > 0) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGUSR1);
        }
    }

    /// Once: a chatty stranger must not fill the journal.
    fn warn(&mut self, what: &str) {
        if !std::mem::replace(&mut self.warned, true) {
            log::line(Level::Warning, &format!("control socket: {what}"));
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Peer {
    /// False: this connection is over.
    fn read(&mut self, unknown: impl FnMut(String), each: &mut impl FnMut(Event)) -> bool {
        let mut buffer = [0; LONGEST];
        let length = match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => length,
            Err(error) => return matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
        let id = self.id;
        self.speech
            .hear(&buffer[..length], unknown, |said| each(Event::Said(id, said)))
    }
}
