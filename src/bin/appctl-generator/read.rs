//! Reads one file that anybody may have put there: regular, of a sane size, and not by way of a symbolic link.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::fcntl::OFlag;

/// Far above any spec; keeps a mistake from filling memory at boot.
const LARGEST: u64 = 1 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("is a symbolic link; put the file itself here")]
    Link,
    #[error("is not a regular file")]
    NotAFile,
    #[error("is larger than 1 MiB")]
    TooLarge,
    #[error("is not UTF-8 text")]
    NotText,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The text of `path`.
pub(crate) fn text(path: &Path) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that grew meanwhile.
    open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Unreadable::TooLarge);
    }
    String::from_utf8(bytes).map_err(|_| Unreadable::NotText)
}

fn open(path: &Path) -> Result<File, Unreadable> {
    // O_NONBLOCK: opening a FIFO would wait for its writer for ever, and the boot with it.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == nix::errno::Errno::ELOOP as i32 => Unreadable::Link,
        _ => Unreadable::Io(error),
    })?;
    let metadata = file.metadata()?;
    match (metadata.is_file(), metadata.len()) {
        (false, _) => Err(Unreadable::NotAFile),
        (true, ..=LARGEST) => Ok(file),
        (true, _) => Err(Unreadable::TooLarge),
    }
}
