//! Files as root touches them: read without following links and within a bound, written whole or not at all, open(2),
//! rename(2).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::spec::AppName;

/// Largest configuration file, bytes.
pub const LARGEST: u64 = 1024 * 1024;

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link, directory, device, fifo or socket where a file is wanted.
    #[error("{} is not a regular file (links are not followed)", .0.display())]
    NotRegular(PathBuf),
    /// Over the bound.
    #[error("{} is larger than {LARGEST} bytes", .0.display())]
    TooLarge(PathBuf),
    /// Bytes that are no text.
    #[error("{} is not UTF-8 text", .0.display())]
    NotText(PathBuf),
}

impl FileError {
    /// Pairs what the system said with what was tried.
    pub fn io(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { verb, path, source }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// The text of a small regular file. The last component may not be a link, and opening never waits for a fifo's writer.
pub fn read_config(path: &Path) -> Result<String, FileError> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == nix::errno::Errno::ELOOP as i32 => FileError::NotRegular(path.to_owned()),
        _ => FileError::io("read", path)(error),
    })?;
    let metadata = file.metadata().map_err(FileError::io("read", path))?;
    if !metadata.is_file() {
        return Err(FileError::NotRegular(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > LARGEST {
        return Err(FileError::TooLarge(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| FileError::NotText(path.to_owned()))
}

/// The same, `None` when there is no such file.
pub fn read_config_if_any(path: &Path) -> Result<Option<String>, FileError> {
    match read_config(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who may do what with a file.
#[derive(Debug, Clone, Copy)]
struct Access {
    mode: u32,
    /// User and group, where they are not ours.
    owner: Option<(u32, u32)>,
}

/// What everyone may read.
const READABLE: Access = Access {
    mode: 0o644,
    owner: None,
};

/// What only root may read.
const CLOSED: Access = Access {
    mode: 0o600,
    owner: None,
};

impl Access {
    /// That of a file, as far as it is no wider than [`READABLE`].
    fn of(path: &Path) -> io::Result<Self> {
        match std::fs::symlink_metadata(path) {
            Ok(file) if file.is_file() => Ok(Self {
                mode: file.mode() & READABLE.mode,
                owner: Some((file.uid(), file.gid())),
            }),
            Ok(_) => Ok(READABLE),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(READABLE),
            Err(error) => Err(error),
        }
    }

    fn give(self, file: &File) -> io::Result<()> {
        // First: a change of the owner takes bits of the mode away, and a wrong owner never has them.
        if let Some((user, group)) = self.owner.filter(|_| nix::unistd::geteuid().is_root()) {
            std::os::unix::fs::fchown(file, Some(user), Some(group))?;
        }
        // Not at creation: the umask takes bits away there.
        file.set_permissions(std::fs::Permissions::from_mode(self.mode))
    }
}

/// Replaces a file at once and durably, making its directory when missing. Readers see the old text or the new. Its owner
/// and a mode that an operator has narrowed stay; a new file can be read by everyone.
pub fn write_atomic(path: &Path, text: &str) -> Result<(), FileError> {
    write_like(path, text, path)
}

/// The same, with the owner and the mode of the file `model`, as far as there is one.
pub fn write_like(path: &Path, text: &str, model: &Path) -> Result<(), FileError> {
    let access = Access::of(model).map_err(FileError::io("inspect", model))?;
    write(path, text, access).map_err(FileError::io("write", path))
}

/// The same, for root only.
pub fn write_closed(path: &Path, text: &str) -> Result<(), FileError> {
    write(path, text, CLOSED).map_err(FileError::io("write", path))
}

/// The same, in a directory for root only.
pub fn write_private(path: &Path, text: &str) -> Result<(), FileError> {
    make_private(path.parent().unwrap_or(Path::new("/")))?;
    write_closed(path, text)
}

/// Makes a directory for root only, if there is none.
pub fn make_private(folder: &Path) -> Result<(), FileError> {
    let parents = folder.parent().map_or(Ok(()), std::fs::create_dir_all);
    let made = parents.and_then(|()| std::fs::DirBuilder::new().mode(0o700).create(folder));
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(FileError::io("create", folder)),
    }
}

/// Gives a file the owner and the mode of `model` where that lets others do less.
pub fn narrow(path: &Path, model: &Path) -> Result<(), FileError> {
    let narrow = || -> io::Result<()> {
        let (own, wanted) = (Access::of(path)?, Access::of(model)?);
        if own.mode & !wanted.mode == 0 {
            return Ok(());
        }
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        wanted.give(&OpenOptions::new().read(true).custom_flags(flags).open(path)?)
    };
    narrow().map_err(FileError::io("change the mode of", path))
}

fn write(path: &Path, text: &str, access: Access) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    // Made for root only.
    let mut file = tempfile::Builder::new().prefix(".appctl-").tempfile_in(folder)?;
    access.give(file.as_file())?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(folder)
}

/// Removes a file durably; says whether there was one.
pub fn remove(path: &Path) -> Result<bool, FileError> {
    match std::fs::remove_file(path) {
        Ok(()) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            sync(folder).map_err(FileError::io("remove", path)).map(|()| true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::io("remove", path)(error)),
    }
}

/// Points a link at `target`, at once: whoever follows it sees the old target or the new.
pub fn switch_link(link: &Path, target: &Path) -> Result<(), FileError> {
    let folder = link.parent().unwrap_or(Path::new("/"));
    let switch = || -> io::Result<()> {
        let made = tempfile::Builder::new()
            .prefix(".appctl-")
            .make_in(folder, |path| std::os::unix::fs::symlink(target, path))?;
        std::fs::rename(made.path(), link)?;
        // The name is the link's now: nothing is left to remove.
        made.into_temp_path().keep().map_err(io::Error::other)?;
        sync(folder)
    };
    switch().map_err(FileError::io("replace", link))
}

/// Makes names in a directory survive a power cut.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Apps that have a `NAME.toml` in a directory, sorted. Other files are none of ours; no directory means no apps.
pub fn app_names(folder: &Path) -> Result<Vec<AppName>, FileError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::io("list", folder)(error)),
    };
    let names = entries
        .filter_map(Result::ok)
        .filter_map(|entry| app_name(&entry.file_name()));
    let mut names: Vec<AppName> = names.collect();
    names.sort();
    Ok(names)
}

fn app_name(file: &std::ffi::OsStr) -> Option<AppName> {
    file.to_str()?.strip_suffix(".toml")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{narrow, write_atomic, write_like, write_private};
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn mode(path: &Path) -> u32 {
        metadata(path).expect("there").permissions().mode() & 0o7777
    }

    #[test]
    fn what_an_operator_has_closed_stays_closed_and_so_does_its_copy() {
        let folder = tempfile::tempdir().expect("a directory");
        let (file, copy) = (folder.path().join("file"), folder.path().join("copy"));
        write_atomic(&file, "1").expect("writable");
        write_like(&copy, "1", &file).expect("writable");
        assert_eq!((mode(&file), mode(&copy)), (0o644, 0o644));
        set_permissions(&file, Permissions::from_mode(0o600)).expect("ours");
        narrow(&copy, &file).expect("ours");
        assert_eq!(mode(&copy), 0o600);
        write_atomic(&file, "2").expect("writable");
        set_permissions(&copy, Permissions::from_mode(0o644)).expect("ours");
        write_like(&copy, "2", &file).expect("writable");
        assert_eq!((mode(&file), mode(&copy)), (0o600, 0o600));
    }

    #[test]
    fn what_is_private_lies_in_a_private_directory() {
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("a/env/web.env");
        write_private(&file, "A=1").expect("writable");
        let place = file.parent().expect("a directory");
        assert_eq!((mode(&file), mode(place)), (0o600, 0o700));
        assert_ne!(mode(&folder.path().join("a")), 0o700);
    }
}
