//! What a source leaves out: `.git` always, and what `.gitignore` and `.appctlignore` say, gitignore(5). The latter wins,
//! and the deeper file wins. The files are read as everything in a tree is, without following links.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::TreeError;

/// More is no ignore file.
const LARGEST: u64 = 1 << 20;
/// Rules in one file, and in all of them: each is looked at for each entry below.
const IN_A_FILE: usize = 1000;
const IN_ALL: usize = 10_000;
/// Length of one rule, and what in it stands for anything: the time to match grows with both.
const LONGEST: usize = 500;
const WILDCARDS: usize = 16;
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
    /// Rules read so far.
    rules: usize,
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
    pub(super) fn enter(&mut self, directory: &OwnedFd, below: &Path) -> Result<(), TreeError> {
        if !self.files {
            return Ok(());
        }
        if self.inside > 0 || below.file_name().is_some_and(|name| name == PACKAGES) {
            self.inside += 1;
            return Ok(());
        }
        let own = self.rules(directory, &below.join(".appctlignore"))?;
        let git = self.rules(directory, &below.join(".gitignore"))?;
        self.levels.push(Level { own, git });
        Ok(())
    }

    fn rules(&mut self, directory: &OwnedFd, path: &Path) -> Result<Gitignore, TreeError> {
        let left = IN_A_FILE.min(IN_ALL - self.rules);
        let (rules, number) = rules(directory, path, left)?;
        self.rules += number;
        Ok(rules)
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

/// No file, and a file that cannot be read as one, are no rules; a line that is no pattern is none either. How many there
/// are is said as well.
fn rules(directory: impl AsFd, path: &Path, most: usize) -> Result<(Gitignore, usize), TreeError> {
    let text = text(directory, path.file_name().unwrap_or_default());
    let below = path.parent().unwrap_or(Path::new(""));
    let mut builder = GitignoreBuilder::new(Path::new("/").join(below));
    let mut number = 0;
    for (nth, line) in text.lines().enumerate().filter(|(_, line)| is_rule(line)) {
        number += 1;
        let refuse = |why| TreeError::Ignore {
            path: path.to_owned(),
            line: nth + 1,
            why,
        };
        if number > most {
            return Err(refuse(Unusable::Many));
        }
        if line.len() > LONGEST {
            return Err(refuse(Unusable::Long));
        }
        if line.matches(['*', '?', '[', '{']).count() > WILDCARDS {
            return Err(refuse(Unusable::Wild));
        }
        // The error is a bad pattern.
        _ = builder.add_line(None, line);
    }
    Ok((builder.build().unwrap_or_else(|_| Gitignore::empty()), number))
}

fn is_rule(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with('#')
}

fn text(directory: impl AsFd, name: &OsStr) -> String {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let Ok(file) = openat(directory, name, flags, Mode::empty()) else {
        return String::new();
    };
    let mut bytes = Vec::new();
    if File::from(file).take(LARGEST).read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.trim_start_matches('\u{feff}').to_owned()
}

/// Why a rule is not looked at for every entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There are too many.
    #[error("is one rule too many: the limit is {IN_A_FILE} in one ignore file and {IN_ALL} in all of them")]
    Many,
    /// It is too long.
    #[error("is longer than {LONGEST} bytes")]
    Long,
    /// It may match in too many ways.
    #[error("has more than {WILDCARDS} wildcards")]
    Wild,
}
