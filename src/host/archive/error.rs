//! What is wrong with an archive, and whose fault it is.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::host::tree::DEEPEST;

/// An archive that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something else.
    #[error("this is {0}, not a tar archive (plain, or compressed with gzip or zstd)")]
    Format(&'static str),
    /// Nothing in it.
    #[error("the archive is empty")]
    Empty,
    /// The end is missing.
    #[error("the archive is truncated: its end is missing")]
    CutOff,
    /// It makes no sense.
    #[error("the archive is damaged")]
    Damaged(#[source] io::Error),
    /// Absolute, or with `..`.
    #[error("the archive would write {}, which is outside the release", .0.display())]
    Outside(PathBuf),
    /// The same by way of a link.
    #[error("{} in the archive is a link to {}, outside the release", .0.display(), .1.display())]
    Escapes(PathBuf, PathBuf),
    /// A name below something that is no directory, or a link.
    #[error("{} in the archive lies below a link, or in place of a directory", .0.display())]
    Through(PathBuf),
    /// A device, fifo or the like.
    #[error("{} in the archive is a {kind}, and only files, directories and links are unpacked", path.display())]
    Special {
        /// What it is called.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// More directories in each other than a release may have.
    #[error("the archive has more than {DEEPEST} levels of directories, in {}", .0.display())]
    TooDeep(PathBuf),
    /// Over a bound.
    #[error("more than {most} {what} in the archive, counted up to {}", path.display())]
    TooMuch {
        /// Where the count ended.
        path: PathBuf,
        /// The bound.
        most: u64,
        /// What was counted.
        what: &'static str,
    },
    /// The system refused.
    #[error("cannot unpack {}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ArchiveError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }

    /// The first names of the path tell where it is.
    pub(super) fn too_deep(path: &Path) -> Self {
        Self::TooDeep(path.iter().take(5).collect())
    }

    /// What the system said of a path in the archive.
    pub(super) fn at(path: &Path) -> impl FnOnce(Errno) -> Self {
        move |errno| match errno {
            Errno::ELOOP | Errno::EXDEV | Errno::ENOTDIR | Errno::EISDIR | Errno::EEXIST => {
                Self::Through(path.to_owned())
            }
            Errno::ENAMETOOLONG => Self::Damaged(errno.into()),
            errno => Self::io(path, errno.into()),
        }
    }

    /// Whether the archive is at fault, and not this machine.
    pub fn is_invalid(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind;
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
    }
}

/// What came of reading the archive itself.
pub(super) fn reading(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::CutOff,
        // The library has no kind for it.
        _ if error.to_string().contains("unexpected EOF") => ArchiveError::CutOff,
        _ => ArchiveError::Damaged(error),
    }
}
