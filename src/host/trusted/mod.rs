//! Paths that only root can change, from the first directory to the last: what root runs, and what PID 1 reads as root.
//!
//! The path is walked as it is typed, one component after the other, each opened below the one before and never through a
//! link, openat(2). Every component belongs to root and can be written by no other account. A directory with the sticky
//! bit, as /tmp, is one where others may add names: what is in it must be there, be root's, and be neither a link nor a
//! mount. A link of root's is followed by the same walk, so that /bin may be one. Nothing below the state of apps is
//! trusted: what a release holds came from an app, whoever owns it now.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;

mod error;
#[cfg(test)]
mod tests;

pub use error::{Untrusted, Why};

/// Links on the way, as the kernel has it, `path_resolution(7)`.
const MOST_LINKS: usize = 40;
/// Where apps and their releases are; systemd keeps those of transient users in the second.
const STATE: [&str; 2] = ["/var/lib/appctl", "/var/lib/private/appctl"];

/// Whom a trusted path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Root alone.
    Root,
    /// Root, or this process: one that is not root runs nothing as root.
    Us,
}

/// What was found at the end of a walk.
#[derive(Debug)]
pub struct Trusted {
    /// Opened with `O_PATH`: it stays what it is, whatever becomes of its names.
    pub file: File,
    /// Its path without links.
    pub real: PathBuf,
}

/// Walks an absolute path. The error names the component that others can change, or that cannot be opened.
pub fn walk(path: &Path, owner: Owner) -> Result<Trusted, Untrusted> {
    let mut walk = Walk::begin(owner)?;
    walk.push(path);
    while let Some(name) = walk.left.pop_front() {
        walk.step(&name)?;
    }
    let Walk { file, real, .. } = walk;
    Ok(Trusted { file, real })
}

/// The same; `None` when the path leads nowhere and only root can change that.
pub fn walk_if_any(path: &Path, owner: Owner) -> Result<Option<Trusted>, Untrusted> {
    match walk(path, owner) {
        Ok(trusted) => Ok(Some(trusted)),
        Err(Untrusted {
            why: Why::Io(error), ..
        }) if is_nowhere(&error) => Ok(None),
        Err(untrusted) => Err(untrusted),
    }
}

/// Which of these files of variables PID 1 must not read: another account could change what is read there. A file that is
/// missing counts as root's in a directory of root's below /etc, which no mount can be late for. `looks` is false for a
/// tree that is only rehearsed: then all of /etc is root's and nothing else is.
pub fn foreign<'p>(paths: impl IntoIterator<Item = &'p Path>, looks: bool) -> Vec<PathBuf> {
    let is_roots = |path: &Path| {
        let in_etc = path.starts_with("/etc");
        let missing = || in_etc && path.parent().is_some_and(|parent| walk(parent, Owner::Root).is_ok());
        match walk(path, Owner::Root) {
            _ if !looks => in_etc,
            Ok(found) => found.file.metadata().is_ok_and(|metadata| metadata.is_file()),
            Err(Untrusted {
                why: Why::Io(error), ..
            }) if error.kind() == io::ErrorKind::NotFound => missing(),
            Err(_) => false,
        }
    };
    let paths = paths.into_iter().filter(|path| !is_roots(path));
    paths.map(Path::to_owned).collect()
}

fn is_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// The number of the mount that a file is in, `proc_pid_fdinfo(5)`: device numbers of overlay file systems say less.
fn mount_of(file: &File) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    let number = text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    Some(number.trim().to_owned())
}

/// How far a walk has come.
struct Walk {
    owner: Owner,
    /// What is there, opened with `O_PATH`.
    file: File,
    real: PathBuf,
    /// Whether others may add names to it.
    open_to_others: bool,
    /// Components that are still to come.
    left: VecDeque<OsString>,
    links: usize,
    /// Device and inode of the directories in [`STATE`].
    state: Vec<(u64, u64)>,
}

impl Walk {
    fn begin(owner: Owner) -> Result<Self, Untrusted> {
        let root = Path::new("/");
        let state = STATE.iter().filter_map(|path| std::fs::symlink_metadata(path).ok());
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let opened = nix::fcntl::open(root, flags, Mode::empty());
        let mut walk = Self {
            owner,
            file: opened.map_err(|error| Untrusted::io(root, error.into()))?.into(),
            real: root.to_owned(),
            open_to_others: false,
            left: VecDeque::new(),
            links: 0,
            state: state.map(|metadata| (metadata.dev(), metadata.ino())).collect(),
        };
        walk.judge(root)?;
        Ok(walk)
    }

    /// Puts the components of `path` before those that are left.
    fn push(&mut self, path: &Path) {
        for component in path.components().rev() {
            let name = match component {
                Component::RootDir | Component::Prefix(_) => OsStr::new("/"),
                Component::CurDir => continue,
                Component::ParentDir => OsStr::new(".."),
                Component::Normal(name) => name,
            };
            self.left.push_front(name.to_owned());
        }
    }

    fn step(&mut self, name: &OsStr) -> Result<(), Untrusted> {
        let path = match name.as_encoded_bytes() {
            b"/" => PathBuf::from("/"),
            b".." => self.real.parent().unwrap_or(Path::new("/")).to_owned(),
            _ => self.real.join(name),
        };
        let opened = self.open(name).map_err(|error| {
            let missing = is_nowhere(&error) && self.open_to_others;
            let why = if missing { Why::AnyoneMayMake } else { Why::Io(error) };
            Untrusted {
                path: path.clone(),
                why,
            }
        })?;
        if self.open_to_others && !(mount_of(&opened).is_some() && mount_of(&opened) == mount_of(&self.file)) {
            return Err(Untrusted {
                path,
                why: Why::Mounted,
            });
        }
        let metadata = opened.metadata().map_err(|error| Untrusted::io(&path, error))?;
        if metadata.is_symlink() {
            return self.follow(&opened, &path, metadata.uid());
        }
        self.file = opened;
        self.judge(&path)?;
        self.real = path;
        Ok(())
    }

    fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(openat(self.file.as_fd(), name, flags, Mode::empty())?.into())
    }

    /// A link is as good as its owner and its directory; then its target is walked.
    fn follow(&mut self, link: &File, path: &Path, uid: u32) -> Result<(), Untrusted> {
        let refuse = |why| Untrusted {
            path: path.to_owned(),
            why,
        };
        if !self.may_own(uid) {
            return Err(refuse(Why::Owner(uid)));
        }
        if self.open_to_others {
            return Err(refuse(Why::Link));
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(refuse(Why::Io(nix::errno::Errno::ELOOP.into())));
        }
        let target = readlinkat(link.as_fd(), "").map_err(|error| refuse(Why::Io(error.into())))?;
        self.push(Path::new(&target));
        Ok(())
    }

    /// Whether what is open now is root's alone.
    fn judge(&mut self, path: &Path) -> Result<(), Untrusted> {
        let refuse = |why| Untrusted {
            path: path.to_owned(),
            why,
        };
        let metadata = self.file.metadata().map_err(|error| refuse(Why::Io(error)))?;
        let of_apps = self.state.contains(&(metadata.dev(), metadata.ino()));
        if of_apps || STATE.iter().any(|state| path.starts_with(state)) {
            return Err(refuse(Why::State));
        }
        if !self.may_own(metadata.uid()) {
            return Err(refuse(Why::Owner(metadata.uid())));
        }
        // Of a device the mode says who may use it, and not who may change what it is.
        let by_others = metadata.mode() & 0o022 != 0 && (metadata.is_dir() || metadata.is_file());
        self.open_to_others = by_others && metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if by_others && !self.open_to_others {
            return Err(refuse(Why::Mode(metadata.mode() & 0o7777)));
        }
        Ok(())
    }

    fn may_own(&self, uid: u32) -> bool {
        uid == 0 || (self.owner == Owner::Us && uid == nix::unistd::geteuid().as_raw())
    }
}
