//! The process that opens a source for `appctl`, with rights other than root's, and what it is asked.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use appctl::host::files::{FileError, LARGEST};
use appctl::host::session;
use appctl::host::source::{Ask, Channel, Items, Message, Packet, Received, broken};
use appctl::host::tree::TreeError;
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use super::Person;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::step_down::Account;

/// A path that takes longer to open is on no disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open source.
#[derive(Debug)]
pub(crate) struct Reader {
    channel: Channel,
    _process: Process,
    path: PathBuf,
    file: Option<File>,
}

/// Ends with its owner.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Reader {
    /// Opens a path as it was typed: behind sudo(8) with the rights of the person there, else as the account in whose hands
    /// it is. At most so many bytes of a file are of use.
    pub(crate) fn open(context: &Context, path: &Path, most: u64) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)?;
        let mut command = Command::new("/proc/self/exe");
        command.arg("read-source").arg(format!("--max-size={most}"));
        let person = Person::of(context)?;
        if let Some(account) = person.account() {
            command.args(account.arguments());
        }
        command.args(person.uid().map(|uid| format!("--person={uid}")));
        Self::ask(command, Ask::Open(path.clone()).packet()).map_err(|error| person.explain(&path, error))
    }

    /// Opens a directory of `appctl`'s own that an account has filled, or what is in it, with the rights of that account.
    pub(crate) fn given(context: &Context, directory: &Path, below: Option<&OsStr>, most: u64) -> anyhow::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let place = nix::fcntl::open(directory, flags, Mode::empty()).map_err(TreeError::at("open", directory))?;
        let metadata = File::from(place.try_clone()?).metadata()?;
        let place: OwnedFd = match below {
            None => place,
            Some(name) => {
                openat(&place, name, flags | OFlag::O_NOFOLLOW, Mode::empty()).map_err(TreeError::at("open", name))?
            }
        };
        let mut command = Command::new("/proc/self/exe");
        command
            .args(["read-source", "--given"])
            .arg(format!("--max-size={most}"));
        if geteuid().is_root() && !context.layout.is_moved() && metadata.uid() != 0 {
            let account = Account {
                uid: Some(metadata.uid()),
                gid: Some(metadata.gid()),
            };
            command.args(account.arguments());
        }
        let path = below.map_or_else(|| directory.to_owned(), |name| directory.join(name));
        let mut packet = Ask::Open(path).packet();
        packet.files.push_back(place.into());
        Self::ask(command, packet)
    }

    fn ask(mut command: Command, request: Packet) -> anyhow::Result<Self> {
        let (channel, other) = Channel::pair()?;
        command
            .env_clear()
            .stdin(Stdio::from(other))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Process(session::isolate(&mut command).spawn()?);
        drop(command);
        channel.send(&request)?;
        drop(request);
        let mut items = answer(&channel)?;
        match next(&mut items)? {
            Message::Opened { directory, path } => Ok(Self {
                channel,
                _process: process,
                path,
                file: if directory { None } else { Some(file(&mut items)?) },
            }),
            Message::Refused(what, help) => Err(ExpectedError::new(Exit::USAGE, what).help(help).into()),
            Message::Failed(error) => Err(error.into()),
            _ => Err(broken(Errno::EBADMSG).into()),
        }
    }

    /// Its path without links, for people and for records.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, when it is no directory.
    pub(crate) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// The text of a small file, of the source itself or below it; `None` when there is none.
    pub(crate) fn text(&self, below: &str) -> anyhow::Result<Option<String>> {
        self.channel.send(&Ask::Text(below.into()).packet())?;
        let mut items = answer(&self.channel)?;
        match next(&mut items)? {
            Message::Yes => Ok(Some(text(&file(&mut items)?, &self.path.join(below))?)),
            Message::No => Ok(None),
            Message::Failed(error) => Err(named(error, &self.path.join(below))),
            _ => Err(broken(Errno::EBADMSG).into()),
        }
    }

    /// The mode of what a path below it leads to.
    pub(crate) fn mode(&self, below: &Path) -> Result<Option<u32>, TreeError> {
        self.channel
            .send(&Ask::Mode(below.to_owned()).packet())
            .map_err(broken)?;
        match next(&mut answer(&self.channel)?)? {
            Message::Mode(mode) => Ok(Some(mode)),
            Message::No => Ok(None),
            Message::Failed(error) => Err(error),
            _ => Err(broken(Errno::EBADMSG)),
        }
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> Result<bool, TreeError> {
        self.channel.send(&Ask::IsEmpty.packet()).map_err(broken)?;
        Ok(matches!(next(&mut answer(&self.channel)?)?, Message::Yes))
    }

    /// All that is in it.
    pub(crate) fn walk<'c>(&'c self, ask: &Ask, stop: &'c AtomicBool) -> Result<Received<'c>, TreeError> {
        Received::ask(&self.channel, ask, stop)
    }
}

fn answer(channel: &Channel) -> Result<Items, TreeError> {
    let packet = channel
        .receive_until(Instant::now() + PATIENCE, || true)
        .map_err(broken)?;
    Ok(packet.ok_or_else(|| broken(Errno::EPIPE))?.messages())
}

fn next(items: &mut Items) -> Result<Message, TreeError> {
    items.next().unwrap_or(Err(Errno::EBADMSG)).map_err(broken)
}

fn file(items: &mut Items) -> Result<File, TreeError> {
    let file = items.file().ok_or_else(|| broken(Errno::EBADMSG))?;
    let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    regular.then_some(file).ok_or_else(|| broken(Errno::EINVAL))
}

fn text(file: &File, path: &Path) -> Result<String, FileError> {
    let mut bytes = Vec::new();
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > LARGEST {
        return Err(FileError::TooLarge(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| FileError::NotText(path.to_owned()))
}

/// A link or something else that is no file, in the words of other files of the operator's.
fn named(error: TreeError, path: &Path) -> anyhow::Error {
    match &error {
        TreeError::Special { .. } => FileError::NotRegular(path.to_owned()).into(),
        TreeError::Io { source, .. }
            if matches!(
                source.raw_os_error().map(Errno::from_raw),
                Some(Errno::ELOOP | Errno::EISDIR)
            ) =>
        {
            FileError::NotRegular(path.to_owned()).into()
        }
        TreeError::Io { verb, source, .. } => {
            let source = std::io::Error::from_raw_os_error(source.raw_os_error().unwrap_or(Errno::EIO as i32));
            FileError::Io {
                verb,
                path: path.to_owned(),
                source,
            }
            .into()
        }
        _ => error.into(),
    }
}
