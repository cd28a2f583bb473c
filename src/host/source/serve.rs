//! The side that reads: answers what it is asked about one open source, with the rights it has.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::{Mode, fstat};

use super::steady::steady;
use super::{Channel, Located, Message, Packet};
use crate::host::tree::{Event, Ignore, Kind, TreeError, Walk, kind, open_in};

/// Packets that may be on their way at once; the kernel bounds how many open files are.
const AHEAD: usize = 2;

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Open this path.
    Open(PathBuf),
    /// Everything in the directory, but for what ignore files name; the second: `node_modules` is taken all the same.
    Walk(bool, bool),
    /// A file below it, through no link.
    Text(PathBuf),
    /// The mode of what a path below it leads to.
    Mode(PathBuf),
    /// Whether it is empty.
    IsEmpty,
    /// One more packet may be sent.
    More,
}

impl Ask {
    /// As a packet.
    pub fn packet(&self) -> Packet {
        let with = |letter, path: &Path| [&[letter], path.as_os_str().as_bytes()].concat();
        let bytes = match self {
            Self::Open(path) => with(b'o', path),
            Self::Walk(ignore, packages) => vec![b'w', u8::from(*ignore), u8::from(*packages)],
            Self::Text(path) => with(b't', path),
            Self::Mode(path) => with(b'm', path),
            Self::IsEmpty => vec![b'e'],
            Self::More => vec![b'c'],
        };
        Packet {
            bytes,
            ..Packet::default()
        }
    }

    /// Of a packet.
    pub fn of(packet: &Packet) -> Option<Self> {
        let (letter, rest) = packet.bytes.split_first()?;
        let path = || PathBuf::from(OsString::from_vec(rest.to_vec()));
        Some(match (letter, rest) {
            (b'o', _) => Self::Open(path()),
            (b'w', [ignore, packages]) => Self::Walk(*ignore == 1, *packages == 1),
            (b't', _) => Self::Text(path()),
            (b'm', _) => Self::Mode(path()),
            (b'e', _) => Self::IsEmpty,
            (b'c', _) => Self::More,
            _ => return None,
        })
    }
}

/// An open source.
#[derive(Debug)]
pub enum Opened {
    /// A directory.
    Directory(OwnedFd),
    /// A regular file.
    File(File),
}

impl Opened {
    /// Opens for reading what was found. Nothing else is opened, not even to see what it is.
    pub fn open(located: &Located) -> Result<Self, TreeError> {
        let at = |verb| TreeError::at(verb, &located.path);
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        match kind(located.stat.st_mode) {
            Kind::Directory => {
                let open = openat(&located.place, ".", flags | OFlag::O_DIRECTORY, Mode::empty());
                open.map(Self::Directory).map_err(at("read"))
            }
            Kind::File => {
                let number = std::os::fd::AsRawFd::as_raw_fd(&located.place);
                let again = format!("/proc/self/fd/{number}");
                let open = nix::fcntl::open(Path::new(&again), flags, Mode::empty()).map_err(at("read"))?;
                Ok(Self::File(open.into()))
            }
            Kind::Special(kind) => Err(TreeError::Special {
                path: located.path.clone(),
                kind,
            }),
            Kind::Link => Err(at("read")(Errno::ELOOP)),
        }
    }
}

/// Tells what was opened, and answers until the other side ends. At most so many bytes of a file are read here.
pub fn serve(channel: &Channel, opened: Opened, path: PathBuf, most: u64) -> nix::Result<()> {
    let directory = match opened {
        Opened::Directory(directory) => directory,
        Opened::File(file) => {
            let mut packet = said(Message::Opened { directory: false, path });
            match steady(file, most) {
                Ok(file) => packet.files.push_back(file),
                Err(error) => packet = said(Message::Failed(TreeError::io("read", Path::new(""), error))),
            }
            return channel.send(&packet);
        }
    };
    channel.send(&said(Message::Opened { directory: true, path }))?;
    while let Some(packet) = channel.receive()? {
        match Ask::of(&packet) {
            Some(Ask::Walk(ignore, packages)) => walk(channel, &directory, (ignore, packages), most)?,
            Some(Ask::Text(path)) => channel.send(&text(&directory, &path, most))?,
            Some(Ask::Mode(path)) => channel.send(&said(mode(&directory, &path)))?,
            Some(Ask::IsEmpty) => channel.send(&said(is_empty(&directory)))?,
            Some(Ask::More) => {}
            Some(Ask::Open(_)) | None => return Err(Errno::EBADMSG),
        }
    }
    Ok(())
}

fn said(message: Message) -> Packet {
    let mut packet = Packet::default();
    packet.put(message);
    packet
}

fn text(directory: &OwnedFd, path: &Path, most: u64) -> Packet {
    let found =
        open_in(directory, path).and_then(|file| steady(file, most).map_err(|e| TreeError::io("read", path, e)));
    match found {
        Ok(file) => {
            let mut packet = said(Message::Yes);
            packet.files.push_back(file);
            packet
        }
        Err(error) if error.is_missing() => said(Message::No),
        Err(error) => said(Message::Failed(error)),
    }
}

/// Links are followed as long as they stay inside: programs of packages are links.
fn mode(directory: &OwnedFd, path: &Path) -> Message {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    match openat2(directory, path, how).and_then(|place| fstat(&place)) {
        Ok(stat) => Message::Mode(stat.st_mode),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Message::No,
        Err(errno) => Message::Failed(TreeError::at("inspect", path)(errno)),
    }
}

fn is_empty(directory: &OwnedFd) -> Message {
    let again = openat(
        directory,
        ".",
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    );
    let listing = again.and_then(nix::dir::Dir::from_fd);
    let any = listing.is_ok_and(|mut listing| {
        let names = listing.iter().flatten();
        names
            .map(|entry| entry.file_name().to_bytes().to_vec())
            .any(|name| name != b"." && name != b"..")
    });
    if any { Message::No } else { Message::Yes }
}

fn walk(channel: &Channel, directory: &OwnedFd, (ignore, packages): (bool, bool), most: u64) -> nix::Result<()> {
    let ignore = if ignore {
        Ignore::as_written(packages)
    } else {
        Ignore::nothing()
    };
    let mut ahead = 0;
    let mut packet = Packet::default();
    let top = directory.try_clone().map_err(|_| Errno::EMFILE)?;
    for event in Walk::new(top, ignore) {
        packet.put(
            event
                .and_then(|event| held(event, most))
                .map_or_else(Message::Failed, Message::Event),
        );
        if packet.is_full() {
            if ahead == AHEAD {
                channel.receive()?;
                ahead -= 1;
            }
            channel.send(&packet)?;
            packet = Packet::default();
            ahead += 1;
        }
    }
    packet.put(Message::End);
    channel.send(&packet)
}

fn held(event: Event, most: u64) -> Result<Event, TreeError> {
    match event {
        Event::File(name, file) => {
            let path = PathBuf::from(OsString::from_vec(name.to_bytes().to_vec()));
            let file = steady(file, most).map_err(|error| TreeError::io("read", &path, error))?;
            Ok(Event::File(name, file))
        }
        other => Ok(other),
    }
}
