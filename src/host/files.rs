//! Files as root touches them: read without following links and within a bound, written whole or not at all, open(2),
//! rename(2).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
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
    #[error("{} is no regular file (links are not followed)", .0.display())]
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

/// Replaces a file at once and durably, mode 0644, making its directory when missing. Readers see the old text or the new.
pub fn write_atomic(path: &Path, text: &str) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder
            .prefix(".appctl-")
            .permissions(std::fs::Permissions::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        // Once more: the umask took bits away when the file was made.
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync(folder)
    };
    write().map_err(FileError::io("write", path))
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
    switch().map_err(FileError::io("switch", link))
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
