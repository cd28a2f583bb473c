//! Packets and open files between two processes, unix(7).

use std::collections::VecDeque;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recvmsg, sendmsg, socketpair};

use super::descriptors::own;

/// Most bytes of a packet.
const LARGEST: usize = 1 << 16;
/// Most files of a packet; the kernel allows a few more.
const FILES: usize = 32;
/// How often a wait looks whether it is of use any more.
const LOOK: u16 = 100;

/// One end.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// What goes over it at once.
#[derive(Debug, Default)]
pub struct Packet {
    /// Messages one after the other.
    pub bytes: Vec<u8>,
    /// What goes with them.
    pub files: VecDeque<File>,
}

impl Packet {
    /// Whether nothing more should be put in: a name and a target fit in what is left.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= LARGEST / 2 || self.files.len() >= FILES
    }
}

impl Channel {
    /// Both ends.
    pub fn pair() -> nix::Result<(Self, OwnedFd)> {
        let (own, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        Ok((Self(own), other))
    }

    /// An end that was inherited.
    pub fn inherited(end: BorrowedFd<'_>) -> std::io::Result<Self> {
        Ok(Self(end.try_clone_to_owned()?))
    }

    /// Sends a packet whole.
    pub fn send(&self, packet: &Packet) -> nix::Result<()> {
        let numbers: Vec<RawFd> = packet.files.iter().map(std::os::fd::AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&numbers)];
        let rights = if numbers.is_empty() { &[][..] } else { &rights[..] };
        let bytes = [IoSlice::new(&packet.bytes)];
        loop {
            match sendmsg::<()>(self.0.as_raw_fd(), &bytes, rights, MsgFlags::MSG_NOSIGNAL, None) {
                Err(Errno::EINTR) => {}
                sent => return sent.map(drop),
            }
        }
    }

    /// The next packet; `None` at the end of the other process.
    pub fn receive(&self) -> nix::Result<Option<Packet>> {
        let mut bytes = vec![0; LARGEST];
        let mut space = nix::cmsg_space!([RawFd; FILES]);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = loop {
            match recvmsg::<()>(self.0.as_raw_fd(), &mut slices, Some(&mut space), flags) {
                Err(Errno::EINTR) => {}
                message => break message?,
            }
        };
        let mut files = VecDeque::new();
        for control in message.cmsgs()? {
            files.extend(own(control));
        }
        let whole = !message.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC);
        let length = message.bytes;
        if !whole {
            return Err(Errno::EMSGSIZE);
        }
        bytes.truncate(length);
        Ok((length > 0).then_some(Packet { bytes, files }))
    }

    /// The same within a time, and as long as it is wanted.
    pub fn receive_until(&self, end: Instant, wanted: impl Fn() -> bool) -> nix::Result<Option<Packet>> {
        loop {
            let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::from(LOOK)) {
                Ok(0) | Err(Errno::EINTR) if !wanted() => return Err(Errno::ECANCELED),
                Ok(0) if Instant::now() >= end => return Err(Errno::ETIMEDOUT),
                Ok(0) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
                Ok(_) => return self.receive(),
            }
        }
    }
}

/// How long reading a source may take in all.
pub const LIMIT: Duration = Duration::from_mins(30);
