//! One file of a tree that someone else filled: never opened through a link, whichever part of the path is one,
//! openat2(2). A `REVISION` that is a link to `/etc/shadow` is an error, not a revision.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{Mode, fstat};

use super::TreeError;
use super::entry::{Kind, kind};

/// Opens a regular file for reading.
pub fn open_beneath(root: &Path, path: &Path) -> Result<File, TreeError> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_PATH | OFlag::O_CLOEXEC;
    let top = open(root, flags, Mode::empty()).map_err(TreeError::at("open", root))?;
    open_in(&top, path)
}

/// The same below an open directory.
pub fn open_in(top: impl AsFd, path: &Path) -> Result<File, TreeError> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = openat2(top, path, how).map_err(TreeError::at("read", path))?;
    let stat = fstat(&file).map_err(TreeError::at("inspect", path))?;
    match kind(stat.st_mode) {
        Kind::File => Ok(file.into()),
        Kind::Special(kind) => Err(TreeError::Special {
            path: path.to_owned(),
            kind,
        }),
        Kind::Directory | Kind::Link => Err(TreeError::at("read", path)(Errno::EISDIR)),
    }
}

/// The text of a small file, bytes that are no text replaced; `None` when there is none.
pub fn read_beneath(root: &Path, path: &Path, most: u64) -> Result<Option<String>, TreeError> {
    let file = match open_beneath(root, path) {
        Ok(file) => file,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    let read = file.take(most).read_to_end(&mut bytes);
    read.map_err(|source| TreeError::Io {
        verb: "read",
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::read_beneath;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    #[test]
    fn no_link_is_followed_wherever_it_stands() {
        let folder = tempfile::tempdir().expect("a directory");
        let release = folder.path().join("release");
        std::fs::create_dir_all(release.join("real")).expect("directories");
        std::fs::write(folder.path().join("secret"), "hash").expect("a file");
        std::fs::write(release.join("real/REVISION"), "1a2b3c4").expect("a file");
        symlink("../secret", release.join("REVISION")).expect("a link");
        symlink("/etc", release.join("etc")).expect("a link");
        symlink("real", release.join("alias")).expect("a link");
        let read = |path: &str| read_beneath(&release, Path::new(path), 100);
        assert_eq!(read("real/REVISION").expect("read").as_deref(), Some("1a2b3c4"));
        assert_eq!(read("none").expect("read"), None);
        for path in [
            "REVISION",
            "etc/hostname",
            "alias/REVISION",
            "../secret",
            "/etc/hostname",
        ] {
            assert!(read(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_fifo_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a directory");
        nix::unistd::mkfifo(&folder.path().join("REVISION"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        assert!(read_beneath(folder.path(), Path::new("REVISION"), 100).is_err());
    }
}
