//! Reads a tree depth-first and tells what is there, one event at a time. It only reads, so it can run with the rights of
//! the tree's owner, and nothing in its events is trusted by the copy. Each level keeps its own descriptors and none is
//! opened again: a directory that is moved meanwhile leads nowhere else.

use std::ffi::{CStr, CString, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fstat};

use super::TreeError;
use super::entry::{Kind, Listing, as_path, kind_of, open_directory};
use super::ignore::Ignore;
use super::planted::is_planted;

/// How many directories may lie in each other. No source has as many, and a path that is as long cannot be opened.
pub const DEEPEST: usize = 100;

/// What a walk meets.
#[derive(Debug)]
pub enum Event {
    /// A directory begins: what follows is in it, until it ends.
    Enter(CString),
    /// A file, open for reading.
    File(CString, File),
    /// A link and what it says.
    Link(CString, OsString),
    /// Something that is left out.
    LeftOut(CString),
    /// The innermost directory ends.
    Leave,
}

/// A walk through a tree: the events of everything below its top.
pub struct Walk {
    levels: Vec<Level>,
    /// The directory being read.
    below: PathBuf,
    ignore: Ignore,
    top: Option<OwnedFd>,
    /// Whose rights this process has.
    reader: u32,
}

struct Level {
    directory: OwnedFd,
    listing: Listing,
}

impl Walk {
    /// A walk through what is below a path.
    pub fn open(top: &Path, ignore: Ignore) -> Result<Self, TreeError> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let directory = nix::fcntl::open(top, flags, Mode::empty()).map_err(TreeError::at("open", top))?;
        Ok(Self::new(directory, ignore))
    }

    /// A walk through what is below an open directory.
    pub fn new(top: OwnedFd, ignore: Ignore) -> Self {
        Self {
            levels: Vec::new(),
            below: PathBuf::new(),
            ignore,
            top: Some(top),
            reader: nix::unistd::geteuid().as_raw(),
        }
    }

    fn advance(&mut self) -> Result<Option<Event>, TreeError> {
        if let Some(top) = self.top.take() {
            self.begin(top)?;
        }
        let Some(level) = self.levels.last_mut() else {
            return Ok(None);
        };
        let Some(entry) = level.listing.next() else {
            return Ok(self.leave());
        };
        let entry = entry.map_err(TreeError::at("list", &self.below))?;
        let name = entry.file_name();
        let path = self.below.join(as_path(name));
        let kind = kind_of(&level.directory, &entry).map_err(TreeError::at("inspect", &path))?;
        if self.ignore.leaves_out(&path, kind == Kind::Directory) {
            return Ok(Some(Event::LeftOut(name.to_owned())));
        }
        match kind {
            Kind::Directory => self.enter(name, path),
            Kind::File => file(&level.directory, name, &path, self.reader),
            Kind::Link => link(&level.directory, name, &path),
            Kind::Special(kind) => Err(TreeError::Special { path, kind }),
        }
        .map(Some)
    }

    fn enter(&mut self, name: &CStr, path: PathBuf) -> Result<Event, TreeError> {
        let outer = self.levels.last().expect("an entry is in a directory");
        if self.levels.len() > DEEPEST {
            return Err(TreeError::too_deep(&path));
        }
        let inner = open_directory(&outer.directory, name).map_err(TreeError::at("open", &path))?;
        self.below = path;
        self.begin(inner)?;
        Ok(Event::Enter(name.to_owned()))
    }

    fn begin(&mut self, directory: OwnedFd) -> Result<(), TreeError> {
        let listing = Listing::open(&directory).map_err(TreeError::at("list", &self.below))?;
        self.ignore.enter(&directory, &self.below)?;
        self.levels.push(Level { directory, listing });
        Ok(())
    }

    /// The top's own end is the end of the events.
    fn leave(&mut self) -> Option<Event> {
        self.ignore.leave();
        self.levels.pop();
        self.below.pop();
        (!self.levels.is_empty()).then_some(Event::Leave)
    }
}

impl Iterator for Walk {
    type Item = Result<Event, TreeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = self.advance().transpose();
        if matches!(event, Some(Err(_))) {
            self.levels.clear();
        }
        event
    }
}

fn file(directory: &OwnedFd, name: &CStr, path: &Path, reader: u32) -> Result<Event, TreeError> {
    // O_NONBLOCK: what was a file when it was listed may be a fifo now.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty()).map_err(TreeError::at("read", path))?;
    let stat = fstat(&file).map_err(TreeError::at("inspect", path))?;
    if stat.st_nlink > 1 {
        let directory = fstat(directory).map_err(TreeError::at("inspect", path))?;
        if is_planted(&directory, &stat, reader) {
            return Err(TreeError::Planted { path: path.to_owned() });
        }
    }
    Ok(Event::File(name.to_owned(), file.into()))
}

fn link(directory: &OwnedFd, name: &CStr, path: &Path) -> Result<Event, TreeError> {
    let target = readlinkat(directory, name).map_err(TreeError::at("read", path))?;
    Ok(Event::Link(name.to_owned(), target))
}
