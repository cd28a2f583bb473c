//! Unpacks tar archives that nobody vouches for, tar(5): plain, gzip or zstd. To be run by an account that owns nothing
//! else, in an empty directory of its own; and even so no entry gets out of there, through a link or otherwise.

mod entry;
mod error;
mod format;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use tar::{Archive, EntryType};

use crate::host::tree::{Bounds, DEEPEST};
pub use error::ArchiveError;
use error::reading;
pub use format::Format;

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files, directories and links.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Unpacks an archive into an empty directory. A failure leaves a part behind, for the caller to remove.
pub fn unpack(archive: impl Read, into: &Path, bounds: Bounds) -> Result<Unpacked, ArchiveError> {
    let top: OwnedFd = File::open(into)
        .map_err(|source| ArchiveError::io(into, source))?
        .into();
    let decoded = format::decode(archive)?;
    let mut archive = Archive::new(Watched {
        inner: decoded,
        ended: false,
    });
    let mut unpacking = Unpacking {
        top,
        bounds,
        unpacked: Unpacked::default(),
    };
    for entry in archive.entries().map_err(reading)? {
        unpacking.entry(&mut entry.map_err(reading)?)?;
    }
    finish(archive.into_inner(), unpacking.unpacked)
}

/// An archive ends with a block of zeros; and behind that a compressed one has a checksum, which is looked at when it is
/// read to its end.
fn finish(mut rest: Watched<impl Read>, unpacked: Unpacked) -> Result<Unpacked, ArchiveError> {
    /// More than any padding.
    const MOST: u64 = 1 << 20;
    if rest.ended {
        return Err(if unpacked == Unpacked::default() {
            ArchiveError::Empty
        } else {
            ArchiveError::CutOff
        });
    }
    let mut rest = (&mut rest).take(MOST);
    io::copy(&mut rest, &mut io::sink()).map_err(reading)?;
    if unpacked.entries == 0 {
        return Err(ArchiveError::Empty);
    }
    Ok(unpacked)
}

/// Knows whether the end was met.
struct Watched<R> {
    inner: R,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

struct Unpacking {
    top: OwnedFd,
    bounds: Bounds,
    unpacked: Unpacked,
}

impl Unpacking {
    fn entry<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), ArchiveError> {
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            return Ok(());
        }
        let path = entry.path().map_err(reading)?.into_owned();
        let Some(path) = entry::inside(&path)? else {
            return Ok(());
        };
        if path.components().count() > DEEPEST + 1 {
            return Err(ArchiveError::too_deep(&path));
        }
        self.count(1, 0, &path)?;
        let target = entry.link_name().map_err(reading)?.map(std::borrow::Cow::into_owned);
        match kind {
            EntryType::Directory => entry::directory(&self.top, &path),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let left = self.bounds.bytes - self.unpacked.bytes;
                let bytes = entry::file(&self.top, &path, entry, left)?;
                self.count(0, bytes, &path)
            }
            EntryType::Symlink => entry::symlink(&self.top, &path, &target.unwrap_or_default()),
            EntryType::Link => entry::hard_link(&self.top, &path, &target.unwrap_or_default()),
            EntryType::Fifo => Err(ArchiveError::Special { path, kind: "fifo" }),
            EntryType::Block | EntryType::Char => Err(ArchiveError::Special { path, kind: "device" }),
            _ => {
                let kind = "file of an unknown type";
                Err(ArchiveError::Special { path, kind })
            }
        }
    }

    fn count(&mut self, entries: u64, bytes: u64, path: &Path) -> Result<(), ArchiveError> {
        self.unpacked.entries += entries;
        self.unpacked.bytes += bytes;
        let (most, what) = if self.unpacked.entries > self.bounds.entries {
            (self.bounds.entries, "files")
        } else if self.unpacked.bytes > self.bounds.bytes {
            (self.bounds.bytes, "bytes")
        } else {
            return Ok(());
        };
        let path = path.to_owned();
        Err(ArchiveError::TooMuch { path, most, what })
    }
}
