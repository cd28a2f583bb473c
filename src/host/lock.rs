//! One rollout per app at a time: flock(2) on `/run/appctl/NAME/lock`. The kernel lets go of it when its holder ends, in
//! whatever way; the text inside only names who that was.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::mounts;
use crate::observe::locks;
use crate::release::AppPaths;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// When that process began, [`began`]; 0 when that is not known.
    #[serde(default)]
    pub began: u64,
    /// Account name, as the person is known: `SUDO_USER` behind sudo(8).
    pub user: String,
    /// What they are doing.
    pub verb: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// A lock that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else holds it; who, unless they have not written that down yet.
    #[error("busy: {}", Describe(.0.as_ref()))]
    Busy(Option<Owner>),
    /// The system refused.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A held lock. Let go of when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes an app's lock, or says who has it. Never waits.
    pub fn take(paths: AppPaths<'_>, owner: &Owner) -> Result<Self, LockError> {
        let path = lock_file(paths);
        let fail = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        loop {
            let mut file = open(&path).map_err(fail)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::Busy(read_owner(&mut file))),
                Err(TryLockError::Error(error)) => return Err(fail(error)),
            }
            if is_still_there(&file, &path).map_err(fail)? {
                write_owner(&mut file, owner).map_err(fail)?;
                return Ok(Self { _file: file });
            }
        }
    }

    /// Whether a process holds an app's lock, asked without touching it: the kernel's own list in `/proc/locks`, proc(5).
    /// A process that began at another time is another one, which was given the number since.
    pub fn is_held(paths: AppPaths<'_>, pid: u32, began: u64) -> io::Result<bool> {
        let flags = (OFlag::O_PATH | OFlag::O_NOFOLLOW).bits();
        let path = lock_file(paths);
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let (device, inode) = (mounts::device(&file)?, file.metadata()?.ino());
        let held = locks::is_held(&std::fs::read_to_string("/proc/locks")?, pid, device, inode);
        let now = self::began(pid).filter(|_| began != 0);
        Ok(held && now.is_none_or(|now| now == began))
    }
}

/// When a process began, in ticks since the machine did; `None` when there is none, or that is hidden from this one.
pub fn began(pid: u32) -> Option<u64> {
    locks::began(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn lock_file(paths: AppPaths<'_>) -> PathBuf {
    paths.run().join("lock")
}

fn open(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    // Readable by its owner only: whoever can open a file can lock it, too.
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)
}

/// An uninstall may have removed the file between opening and locking it.
fn is_still_there(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_owner(file: &mut File, owner: &Owner) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(owner)?.as_bytes())
}

fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

struct Describe<'a>(Option<&'a Owner>);

impl fmt::Display for Describe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(owner) = self.0 else {
            return f.write_str("another rollout holds the lock");
        };
        let Owner {
            pid, user, verb, since, ..
        } = owner;
        write!(f, "{verb} by {user} (process {pid}) has been running since {since}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Lock, LockError, Owner, began};
    use crate::release::Layout;

    fn owner(verb: &str) -> Owner {
        let (user, since) = ("ann".to_owned(), "2026-11-22T10:15:00Z".to_owned());
        Owner {
            pid: 4711,
            began: 1,
            user,
            verb: verb.to_owned(),
            since,
        }
    }

    #[test]
    fn the_second_is_told_who_has_it_and_the_third_gets_it() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let own = (std::process::id(), began(std::process::id()).expect("this process"));
        let is_held = |(pid, began)| Lock::is_held(layout.of(&app), pid, began).expect("readable");
        assert!(!is_held(own));
        let lock = Lock::take(layout.of(&app), &owner("apply")).expect("free");
        assert!(is_held(own) && is_held((own.0, 0)));
        assert!(!is_held((own.0, own.1 - 1)), "an earlier process of this number");
        let second = Lock::take(layout.of(&app), &owner("scale")).expect_err("busy");
        assert!(matches!(&second, LockError::Busy(Some(who)) if *who == owner("apply")));
        assert_eq!(
            second.to_string(),
            "busy: apply by ann (process 4711) has been running since 2026-11-22T10:15:00Z"
        );
        drop(lock);
        // A child that another test has just forked has all descriptors of this process until it runs its program.
        let end = Instant::now() + Duration::from_secs(20);
        while is_held(own) || Lock::take(layout.of(&app), &owner("scale")).is_err() {
            assert!(Instant::now() < end, "still held");
        }
    }

    #[test]
    fn a_lock_file_that_is_a_link_is_not_followed() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let target = root.path().join("target");
        std::fs::create_dir_all(layout.of(&app).run()).expect("a directory");
        std::os::unix::fs::symlink(&target, layout.of(&app).run().join("lock")).expect("a link");
        let error = Lock::take(layout.of(&app), &owner("apply")).expect_err("a link");
        assert!(matches!(error, LockError::Io { .. }));
        assert!(!target.exists());
    }
}
