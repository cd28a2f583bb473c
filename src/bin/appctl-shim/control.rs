//! The control socket: adapters of the app's Node processes connect, say how it goes and are told what to do
//! ([`appctl::contract::adapter`]). No adapter is trusted: only our own account may connect, everything is bounded, and
//! nonsense ends one connection only.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use appctl::contract::adapter::ShimMessage;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Pid, Uid};

use crate::adapter_messages::AdapterMessages;
use crate::lines::LONGEST;
use crate::log;
use crate::machine::{Event, Level, PeerId};

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
    messages: AdapterMessages,
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
            messages: AdapterMessages::default(),
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

    /// Tells one adapter.
    pub(crate) fn tell(&mut self, id: PeerId, message: ShimMessage) {
        self.peers
            .iter_mut()
            .filter(|peer| peer.id == id)
            .for_each(|peer| peer.write(message));
    }

    /// Tells every adapter; false when there is none.
    pub(crate) fn tell_all(&mut self, message: ShimMessage) -> bool {
        self.peers.iter_mut().for_each(|peer| peer.write(message));
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
    /// A few bytes into an empty buffer; an adapter that is gone shows at the next read.
    fn write(&mut self, message: ShimMessage) {
        let _ = self.stream.write_all(format!("{message}\n").as_bytes());
    }

    /// False: this connection is over.
    fn read(&mut self, unknown: impl FnMut(String), each: &mut impl FnMut(Event)) -> bool {
        let mut buffer = [0; LONGEST];
        let length = match self.stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(length) => length,
            Err(error) => return matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
        let id = self.id;
        self.messages
            .read(&buffer[..length], unknown, |message| each(Event::Adapter(id, message)))
    }
}
