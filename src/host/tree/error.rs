//! What can go wrong in a tree, with the path it went wrong at.

use std::path::PathBuf;

use nix::errno::Errno;

/// A tree that cannot be copied or removed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The system refused.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A link that would point elsewhere, or nowhere, in the copy.
    #[error("{} is a link to {}, outside the directory", path.display(), target.display())]
    Escapes {
        /// The link, relative to the tree.
        path: PathBuf,
        /// What it says.
        target: PathBuf,
    },
    /// A device, fifo or socket.
    #[error("{} is a {kind}, and only files, directories and links can be copied", path.display())]
    Special {
        /// Relative to the tree.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// More directories in each other than any app has.
    #[error("{} has more than {most} levels of directories", path.display())]
    TooDeep {
        /// The first names of the path.
        path: PathBuf,
        /// The bound.
        most: usize,
    },
    /// A line of an ignore file that takes too long for every entry of a tree.
    #[error("line {line} of {} {why}", path.display())]
    Ignore {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong with it.
        why: super::Unusable,
    },
    /// Something else is mounted there.
    #[error("{} is a mount point", path.display())]
    MountPoint {
        /// Where.
        path: PathBuf,
    },
    /// A file that not even root may remove.
    #[error("{} is {flag}", path.display())]
    Kept {
        /// Which.
        path: PathBuf,
        /// Why.
        flag: super::Flag,
    },
    /// A process fills what is being removed.
    #[error("a process keeps making directories in {} while it is being removed", path.display())]
    Growing {
        /// What is left.
        path: PathBuf,
    },
    /// A file with a further name, in a directory where an account that cannot read it may have put it.
    #[error("{} is a hard link that another account may have made", path.display())]
    Planted {
        /// Relative to the tree.
        path: PathBuf,
    },
    /// More entries or bytes than any app has.
    #[error("more than {most} {what} below this directory, counted up to {}", path.display())]
    TooMuch {
        /// Where the count ended.
        path: PathBuf,
        /// The bound.
        most: u64,
        /// What was counted.
        what: &'static str,
    },
}

impl TreeError {
    /// The same, of a tree that is part of another.
    pub(super) fn below(mut self, parent: &std::path::Path) -> Self {
        let (Self::Io { path, .. }
        | Self::Escapes { path, .. }
        | Self::Special { path, .. }
        | Self::TooDeep { path, .. }
        | Self::Planted { path }
        | Self::Ignore { path, .. }
        | Self::MountPoint { path }
        | Self::Kept { path, .. }
        | Self::Growing { path }
        | Self::TooMuch { path, .. }) = &mut self;
        *path = parent.join(&path);
        self
    }

    /// A path of so many names is no use to its reader: the first ones tell where it is.
    pub(super) fn too_deep(path: &std::path::Path) -> Self {
        const TOLD: usize = 5;
        let most = super::walk::DEEPEST;
        let path = path.iter().take(TOLD).collect();
        Self::TooDeep { path, most }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }

    /// Whether the disk is full, or the owner's share of it.
    pub fn is_full(&self) -> bool {
        use std::io::ErrorKind;
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
    }

    /// What the system said of a path.
    pub(crate) fn io(verb: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { verb, path, source }
    }

    /// The same, of a system call.
    pub fn at(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(Errno) -> Self {
        let path = path.into();
        move |errno| Self::Io {
            verb,
            path,
            source: errno.into(),
        }
    }
}
