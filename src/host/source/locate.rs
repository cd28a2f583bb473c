//! A path as it was typed, followed name by name without reading anything. Root takes no link and no place where others
//! may put one; a person behind sudo(8) takes their own links and root's.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::libc::stat;
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{Group, Uid, User};

use crate::host::tree::{Kind, is_planted, kind};

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

/// What a path leads to.
#[derive(Debug)]
pub struct Located {
    /// Not open for reading.
    pub place: OwnedFd,
    /// What it is.
    pub stat: stat,
    /// Its path without links.
    pub path: PathBuf,
    /// The account in whose hands it is: the first on the way that is not root.
    pub account: Option<(u32, u32)>,
    /// Whether an account but root and the person may change what its names lead to.
    pub shared: bool,
}

/// A path that is not followed.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// The system refused.
    #[error("{} cannot be opened: {source}", path.display())]
    Io {
        /// As far as it was followed.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A link that another account may change.
    #[error("{} is a link, and another account may change where it leads", .0.display())]
    Link(PathBuf),
    /// A link, and root is asked to read what it points to.
    #[error("{} is a link", .0.display())]
    RootsLink(PathBuf),
    /// A directory where others may put anything.
    #[error("other accounts can write to {}", .0.display())]
    Writable(PathBuf),
    /// A file that an account put there which may not read it.
    #[error("{} is a hard link that another account may have made", .0.display())]
    Planted(PathBuf),
}

/// Follows an absolute path. `person` is who this process has become; without one it is root, for root.
pub fn locate(path: &Path, person: Option<Uid>) -> Result<Located, PathError> {
    let mut way = Way::begin(person)?;
    let mut names = names(path, person.is_none());
    while let Some(name) = names.pop_front() {
        way.step(&name, &mut names)?;
    }
    way.arrive()
}

/// Names of a path; where no link is taken, `..` leads back to where the path came from.
fn names(path: &Path, plain: bool) -> VecDeque<OsString> {
    let mut names = VecDeque::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push_back(name.to_owned()),
            Component::ParentDir if plain => drop(names.pop_back()),
            Component::ParentDir => names.push_back("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    names
}

struct Way {
    person: Option<Uid>,
    outer: Option<stat>,
    place: OwnedFd,
    stat: stat,
    path: PathBuf,
    account: Option<(u32, u32)>,
    shared: bool,
    links: usize,
}

const FLAGS: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Way {
    fn begin(person: Option<Uid>) -> Result<Self, PathError> {
        let path = PathBuf::from("/");
        let top = || {
            let place = nix::fcntl::open(&path, FLAGS, Mode::empty())?;
            let stat = fstat(&place)?;
            nix::Result::Ok((place, stat))
        };
        let (place, stat) = top().map_err(io(&path))?;
        Ok(Self {
            person,
            outer: None,
            place,
            stat,
            path,
            account: None,
            shared: false,
            links: 0,
        })
    }

    fn step(&mut self, name: &OsStr, rest: &mut VecDeque<OsString>) -> Result<(), PathError> {
        let path = if name == ".." {
            self.path.parent().unwrap_or(Path::new("/")).to_owned()
        } else {
            self.path.join(name)
        };
        let next = openat(&self.place, name, FLAGS, Mode::empty()).map_err(io(&path))?;
        let stat = fstat(&next).map_err(io(&path))?;
        if kind(stat.st_mode) == Kind::Link {
            return self.link(name, &stat, rest);
        }
        if self.person.is_none() && is_open_to_all(&self.stat) {
            return Err(PathError::Writable(self.path.clone()));
        }
        if self.account.is_none() && stat.st_uid != 0 {
            self.account = Some((stat.st_uid, stat.st_gid));
        }
        let reader = self.person.map_or(0, Uid::as_raw);
        self.shared |= is_open_to_all(&stat) || ![0, reader].contains(&stat.st_uid);
        self.outer = Some(self.stat);
        (self.place, self.stat, self.path) = (next, stat, path);
        Ok(())
    }

    fn link(&mut self, name: &OsStr, stat: &stat, rest: &mut VecDeque<OsString>) -> Result<(), PathError> {
        let path = &self.path.join(name);
        let Some(person) = self.person else {
            return Err(PathError::RootsLink(path.to_owned()));
        };
        let ours = |uid: u32| uid == 0 || uid == person.as_raw();
        let sticky = self.stat.st_mode & 0o1000 != 0;
        let fixed = !writable_by_others(&self.stat) || (sticky && ours(stat.st_uid));
        if !ours(self.stat.st_uid) || !fixed {
            return Err(PathError::Link(path.to_owned()));
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(io(path)(Errno::ELOOP));
        }
        let target = PathBuf::from(readlinkat(&self.place, name).map_err(io(path))?);
        for name in names(&target, false).into_iter().rev() {
            rest.push_front(name);
        }
        if target.is_absolute() {
            let (links, shared) = (self.links, self.shared);
            *self = Self::begin(self.person)?;
            (self.links, self.shared) = (links, shared);
        }
        Ok(())
    }

    fn arrive(self) -> Result<Located, PathError> {
        let directory = kind(self.stat.st_mode) == Kind::Directory;
        if self.person.is_none() && directory && is_open_to_all(&self.stat) {
            return Err(PathError::Writable(self.path));
        }
        let reader = self.person.map_or(0, Uid::as_raw);
        let reader = self
            .account
            .filter(|_| self.person.is_none())
            .map_or(reader, |(uid, _)| uid);
        if let Some(outer) = &self.outer
            && is_planted(outer, &self.stat, reader)
        {
            return Err(PathError::Planted(self.path));
        }
        Ok(Located {
            place: self.place,
            stat: self.stat,
            path: self.path,
            account: self.account,
            shared: self.shared,
        })
    }
}

/// Whether another account may put something in the place of a name in a directory.
fn is_open_to_all(directory: &stat) -> bool {
    let sticky = directory.st_mode & 0o1000 != 0;
    kind(directory.st_mode) == Kind::Directory && !sticky && writable_by_others(directory)
}

/// A group that is its owner's alone, as most distributions make one for each person, is none of others.
fn writable_by_others(directory: &stat) -> bool {
    let all = directory.st_mode & 0o002 != 0;
    let group = directory.st_mode & 0o020 != 0 && !is_private(directory.st_uid, directory.st_gid);
    all || group
}

fn is_private(owner: u32, group: u32) -> bool {
    if group == 0 {
        return owner == 0;
    }
    let user = User::from_uid(Uid::from_raw(owner)).ok().flatten();
    let found = Group::from_gid(group.into()).ok().flatten();
    let (Some(user), Some(found)) = (user, found) else {
        return false;
    };
    user.gid == found.gid && user.name == found.name && found.mem.iter().all(|member| *member == user.name)
}

fn io(path: &Path) -> impl FnOnce(Errno) -> PathError {
    let path = path.to_owned();
    move |errno| PathError::Io {
        path,
        source: errno.into(),
    }
}
