//! What the process that reads a source says, as bytes: a letter, then texts with their length in front. Both ends are the
//! same program, and the one that listens believes nothing all the same.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use nix::errno::Errno;

use super::Packet;
use crate::host::tree::{DEEPEST, Event, TreeError};

/// One thing said.
#[derive(Debug)]
pub enum Message {
    /// Of a walk.
    Event(Event),
    /// The walk is over.
    End,
    /// It failed.
    Failed(TreeError),
    /// Yes, or what was asked for is there; the file comes with it.
    Yes,
    /// No, or there is nothing of that name.
    No,
    /// The mode of what was asked about.
    Mode(u32),
    /// The source is open: a directory, or a file, which comes with it; and where it really is.
    Opened {
        /// A directory.
        directory: bool,
        /// Its path, without links.
        path: PathBuf,
    },
    /// The path cannot be taken as it was typed: what is wrong, and what to type.
    Refused(String, String),
}

/// Words of [`TreeError`] that are known on both ends.
const WORDS: [&str; 9] = [
    "read",
    "open",
    "list",
    "inspect",
    "continue with",
    "use",
    "fifo",
    "socket",
    "device",
];

impl Packet {
    /// Adds one message.
    pub fn put(&mut self, message: Message) {
        match message {
            Message::Event(Event::Enter(name)) => self.texts(b'd', &[name.to_bytes()]),
            Message::Event(Event::File(name, file)) => {
                self.texts(b'f', &[name.to_bytes()]);
                self.files.push_back(file);
            }
            Message::Event(Event::Link(name, target)) => self.texts(b'l', &[name.to_bytes(), target.as_bytes()]),
            Message::Event(Event::LeftOut(name)) => self.texts(b'o', &[name.to_bytes()]),
            Message::Event(Event::Leave) => self.texts(b'u', &[]),
            Message::End => self.texts(b'e', &[]),
            Message::Failed(error) => self.failed(&error),
            Message::Yes => self.texts(b'y', &[]),
            Message::No => self.texts(b'n', &[]),
            Message::Mode(mode) => self.texts(b'm', &[mode.to_string().as_bytes()]),
            Message::Opened { directory, path } => {
                let letter = if directory { b'D' } else { b'F' };
                self.texts(letter, &[path.as_os_str().as_bytes()]);
            }
            Message::Refused(what, help) => self.texts(b'r', &[what.as_bytes(), help.as_bytes()]),
        }
    }

    fn texts(&mut self, letter: u8, texts: &[&[u8]]) {
        self.bytes.push(letter);
        for text in texts {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            self.bytes.extend(length.to_le_bytes());
            self.bytes.extend_from_slice(text);
        }
    }

    fn failed(&mut self, error: &TreeError) {
        match error {
            TreeError::Io { verb, path, source } => {
                let number = source.raw_os_error().unwrap_or(Errno::EIO as i32).to_string();
                self.texts(b'x', &[verb.as_bytes(), path.as_os_str().as_bytes(), number.as_bytes()]);
            }
            TreeError::Special { path, kind } => self.texts(b's', &[kind.as_bytes(), path.as_os_str().as_bytes()]),
            TreeError::Planted { path } => self.texts(b'p', &[path.as_os_str().as_bytes()]),
            TreeError::TooDeep { path, .. } => self.texts(b't', &[path.as_os_str().as_bytes()]),
            other => self.texts(b'q', &[other.to_string().as_bytes()]),
        }
    }

    /// What it says.
    pub fn messages(self) -> Items {
        Items { packet: self, at: 0 }
    }
}

/// The messages of a packet; the last one is an error when it makes no sense.
#[derive(Debug)]
pub struct Items {
    packet: Packet,
    at: usize,
}

impl Items {
    fn text(&mut self) -> Option<Vec<u8>> {
        let head = self.packet.bytes.get(self.at..self.at + 4)?;
        let length = u32::from_le_bytes(head.try_into().ok()?);
        let start = self.at + 4;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let text = self.packet.bytes.get(start..end)?.to_vec();
        self.at = end;
        Some(text)
    }

    fn name(&mut self) -> Option<CString> {
        CString::new(self.text()?).ok()
    }

    fn path(&mut self) -> Option<PathBuf> {
        Some(OsString::from_vec(self.text()?).into())
    }

    fn words(&mut self) -> Option<String> {
        Some(String::from_utf8_lossy(&self.text()?).into_owned())
    }

    fn word(&mut self) -> Option<&'static str> {
        let said = self.words()?;
        WORDS.into_iter().find(|known| *known == said).or(Some("read"))
    }

    fn message(&mut self) -> Option<Message> {
        let letter = *self.packet.bytes.get(self.at)?;
        self.at += 1;
        Some(match letter {
            b'd' => Message::Event(Event::Enter(self.name()?)),
            b'f' => Message::Event(Event::File(self.name()?, self.packet.files.pop_front()?)),
            b'l' => Message::Event(Event::Link(self.name()?, OsString::from_vec(self.text()?))),
            b'o' => Message::Event(Event::LeftOut(self.name()?)),
            b'u' => Message::Event(Event::Leave),
            b'e' => Message::End,
            b'y' => Message::Yes,
            b'n' => Message::No,
            b'm' => Message::Mode(self.words()?.parse().ok()?),
            b'D' | b'F' => Message::Opened {
                directory: letter == b'D',
                path: self.path()?,
            },
            b'r' => Message::Refused(self.words()?, self.words()?),
            _ => Message::Failed(self.error(letter)?),
        })
    }

    fn error(&mut self, letter: u8) -> Option<TreeError> {
        Some(match letter {
            b'x' => TreeError::Io {
                verb: self.word()?,
                path: self.path()?,
                source: io::Error::from_raw_os_error(self.words()?.parse().ok()?),
            },
            b's' => TreeError::Special {
                kind: self.word()?,
                path: self.path()?,
            },
            b'p' => TreeError::Planted { path: self.path()? },
            b't' => TreeError::TooDeep {
                path: self.path()?,
                most: DEEPEST,
            },
            b'q' => TreeError::Io {
                verb: "read",
                path: PathBuf::new(),
                source: io::Error::other(self.words()?),
            },
            _ => return None,
        })
    }

    /// A file that came with the message before.
    pub fn file(&mut self) -> Option<std::fs::File> {
        self.packet.files.pop_front()
    }
}

impl Iterator for Items {
    type Item = Result<Message, Errno>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.packet.bytes.len() {
            return None;
        }
        let message = self.message().ok_or(Errno::EBADMSG);
        if message.is_err() {
            self.at = self.packet.bytes.len();
        }
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Packet};
    use crate::host::tree::{Event, TreeError};

    fn packet() -> Packet {
        let mut packet = Packet::default();
        packet.put(Message::Event(Event::Enter(c"lib".to_owned())));
        packet.put(Message::Event(Event::Link(c"a".to_owned(), "../b".into())));
        packet.put(Message::Failed(TreeError::Special {
            path: "lib/pipe".into(),
            kind: "fifo",
        }));
        packet
    }

    #[test]
    fn what_is_said_is_heard() {
        let heard: Vec<String> = packet()
            .messages()
            .map(|message| format!("{:?}", message.expect("sense")))
            .collect();
        let said = [
            "Event(Enter(\"lib\"))",
            "Event(Link(\"a\", \"../b\"))",
            "Failed(Special { path: \"lib/pipe\", kind: \"fifo\" })",
        ];
        assert_eq!(heard, said);
    }

    #[test]
    fn what_makes_no_sense_ends_in_one_error_wherever_it_is_cut() {
        let whole = packet().bytes;
        for end in 1..whole.len() {
            let bytes = whole[..end].to_vec();
            let cut = Packet {
                bytes,
                ..Packet::default()
            };
            assert!(cut.messages().filter(Result::is_err).count() <= 1, "{end}");
        }
        let file = Packet {
            bytes: b"f\x01\0\0\0x".to_vec(),
            ..Packet::default()
        };
        assert!(
            file.messages().next().is_some_and(|said| said.is_err()),
            "a file that did not come"
        );
    }
}
