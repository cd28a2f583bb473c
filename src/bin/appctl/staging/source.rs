//! What a release is made from, and how one says so on the command line.

use std::fmt;
use std::path::{Path, PathBuf};

/// What a release is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A directory of this machine, or an archive: tar, plain or compressed with gzip or zstd.
    Path(PathBuf),
    /// An archive on standard input.
    Stdin,
    /// A commit.
    Git {
        /// A URL or path as git(1) takes it.
        url: String,
        /// A branch, a tag or a commit.
        reference: String,
    },
}

/// The same as arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// A directory, a tar archive (plain, gzip or zstd), or - for an archive on standard input
    #[arg(value_name = "SOURCE", default_value = ".", conflicts_with = "git")]
    path: PathBuf,

    /// Take the source from this git repository
    #[arg(long, value_name = "URL")]
    git: Option<String>,

    /// Which branch, tag or commit
    #[arg(long = "ref", value_name = "REF", requires = "git", default_value = "HEAD")]
    reference: String,
}

impl Asked {
    /// What they name: a commit, standard input, or a path. What is there is seen when it is opened.
    pub(crate) fn source(&self) -> Source {
        match &self.git {
            Some(url) => Source::Git {
                url: url.clone(),
                reference: self.reference.clone(),
            },
            None => of(&self.path),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.git {
            Some(url) => write!(f, "{} from {url}", self.reference),
            None => write!(f, "{}", self.path.display()),
        }
    }
}

fn of(path: &Path) -> Source {
    if path == Path::new("-") {
        Source::Stdin
    } else {
        Source::Path(path.to_owned())
    }
}
