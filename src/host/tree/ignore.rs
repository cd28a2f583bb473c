//! What a source leaves out: `.git` always, and what `.gitignore` and `.appctlignore` say, gitignore(5). The latter wins,
//! and the deeper file wins. The files are read as everything in a tree is, without following links.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

/// More is no ignore file.
const LARGEST: u64 = 1 << 20;
/// Full of other people's packages: our own rules are not about what is in there.
const PACKAGES: &str = "node_modules";

/// Which entries of a tree are left out.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    files: bool,
    keep_packages: bool,
    levels: Vec<Level>,
    /// How many directories deep inside installed packages.
    inside: usize,
}

#[derive(Debug, Clone)]
struct Level {
    own: Gitignore,
    git: Gitignore,
}

impl Ignore {
    /// Leaves out nothing but `.git`.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Heeds the ignore files. `keep_packages`: `node_modules` at the top is taken along even when `.gitignore` names it,
    /// because nothing would bring it back.
    pub fn as_written(keep_packages: bool) -> Self {
        Self {
            files: true,
            keep_packages,
            ..Self::default()
        }
    }

    /// A directory begins.
    pub(super) fn enter(&mut self, directory: &OwnedFd, below: &Path) {
        if !self.files {
            return;
        }
        if self.inside > 0 || below.file_name().is_some_and(|name| name == PACKAGES) {
            self.inside += 1;
            return;
        }
        self.levels.push(Level {
            own: rules(directory, ".appctlignore", below),
            git: rules(directory, ".gitignore", below),
        });
    }

    /// It ends.
    pub(super) fn leave(&mut self) {
        if self.inside > 0 {
            self.inside -= 1;
        } else {
            self.levels.pop();
        }
    }

    /// Whether an entry is left out.
    pub(super) fn leaves_out(&self, path: &Path, directory: bool) -> bool {
        if path.file_name().is_some_and(|name| name == ".git") {
            return true;
        }
        self.files && self.is_ignored(path, directory)
    }

    fn is_ignored(&self, path: &Path, directory: bool) -> bool {
        if self.inside > 0 {
            return false;
        }
        let path_below_root = Path::new("/").join(path);
        let verdict = |rules: fn(&Level) -> &Gitignore| {
            let levels = self.levels.iter().rev();
            let mut said = levels.map(|level| rules(level).matched(&path_below_root, directory));
            said.find(|said| !said.is_none()).map(|said| said.is_ignore())
        };
        match verdict(|level| &level.own) {
            Some(ignored) => ignored,
            None if self.keep_packages && path == Path::new(PACKAGES) => false,
            None => verdict(|level| &level.git).unwrap_or(false),
        }
    }
}

/// No file, and a file that cannot be read as one, are no rules; a line that is no pattern is none either.
fn rules(directory: impl AsFd, name: &str, below: &Path) -> Gitignore {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let Ok(file) = openat(directory, name, flags, Mode::empty()) else {
        return Gitignore::empty();
    };
    let mut bytes = Vec::new();
    if File::from(file).take(LARGEST).read_to_end(&mut bytes).is_err() {
        return Gitignore::empty();
    }
    let mut builder = GitignoreBuilder::new(Path::new("/").join(below));
    for line in String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').lines() {
        // The error is a bad pattern.
        _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
