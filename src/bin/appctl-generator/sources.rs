//! Which TOML file makes each app: `applied/NAME.toml`, what was last checked, before `apps/NAME.toml`, what is wanted.
//!
//! A half-edited file under `apps/` can therefore never take the units of a running app away. A bad file under
//! `applied/` does not fall back to `apps/`: that would be a change nobody applied.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use appctl::contract::paths;
use appctl::spec::{self, AppName, AppSpec, variables};

use crate::kmsg::Complaints;
use crate::read::{self, Unreadable};

/// One good app.
pub(crate) struct Source {
    /// The file as seen from inside the root, `/etc/appctl/apps/NAME.toml`.
    pub(crate) path: String,
    /// Whether it was checked and applied before.
    pub(crate) applied: bool,
    pub(crate) spec: AppSpec,
}

/// Later ones win.
const DIRECTORIES: [(&str, bool); 2] = [(paths::WANTED, false), (paths::APPLIED, true)];

/// All good apps below `root` by name; complains about every other file.
pub(crate) fn all(root: &Path, complaints: &mut Complaints) -> Vec<Source> {
    let mut files = BTreeMap::new();
    for (directory, applied) in DIRECTORIES {
        for name in names(root, directory, complaints) {
            if let Some((shadowed, _)) = files.insert(name.clone(), (directory, applied)) {
                check(root, shadowed, &name, complaints);
            }
        }
    }
    let sources = files.into_iter().filter_map(|(name, (directory, applied))| {
        let path = format!("/{directory}/{name}.toml");
        match load(root, &path, &name) {
            Ok(spec) => {
                let spec = spec.with_variables(kept(root, &name, applied, complaints));
                Some(Source { path, applied, spec })
            }
            Err(message) => {
                complaints.add(&message);
                None
            }
        }
    });
    sources.collect()
}

/// A file that is not in force harms nothing yet, but whoever edits it should hear of it before it does.
fn check(root: &Path, directory: &str, name: &AppName, complaints: &mut Complaints) {
    if let Err(message) = load(root, &format!("/{directory}/{name}.toml"), name) {
        complaints.add(&format!("{message}; what was applied before stays in force"));
    }
}

/// The apps that have a file in `directory`.
fn names(root: &Path, directory: &str, complaints: &mut Complaints) -> Vec<AppName> {
    let entries = match std::fs::read_dir(root.join(directory)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            complaints.add(&format!("/{directory}: {error}"));
            return Vec::new();
        }
    };
    // In order of names, so that the same tree makes the same complaints.
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    files.sort();
    let mut name = |file: &std::ffi::OsString| match app_name(&file.to_string_lossy()) {
        Ok(name) => name,
        Err(problem) => {
            complaints.add(&format!("/{directory}/{}: {problem}", file.to_string_lossy()));
            None
        }
    };
    files.iter().filter_map(&mut name).collect()
}

/// `Ok(None)` for what an editor or a package manager leaves beside a file.
fn app_name(file: &str) -> Result<Option<AppName>, String> {
    let leftovers = [
        "~",
        ".swp",
        ".bak",
        ".tmp",
        ".dpkg-old",
        ".dpkg-new",
        ".dpkg-dist",
        ".rpmnew",
        ".rpmsave",
    ];
    if file.starts_with(['.', '#']) || leftovers.iter().any(|end| file.ends_with(end)) {
        return Ok(None);
    }
    let stem = file
        .strip_suffix(".toml")
        .ok_or("ignored, since the name of an app's file must end in .toml")?;
    stem.parse()
        .map(Some)
        .map_err(|error| format!("ignored, since this cannot be the name of an app: {error}"))
}

/// What `appctl env` keeps for an app. One that cannot be read must not take the units of a running app away.
fn kept(root: &Path, name: &AppName, applied: bool, complaints: &mut Complaints) -> Vec<(String, String)> {
    let end = if applied { "applied" } else { "env" };
    let path = format!("{}/{name}.{end}", paths::ENV);
    match read::text(&root.join(&path)) {
        Ok(text) => variables::parse(&text),
        Err(Unreadable::Io(error)) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            complaints.add(&format!("/{path}: {error}"));
            Vec::new()
        }
    }
}

fn load(root: &Path, path: &str, name: &AppName) -> Result<AppSpec, String> {
    let text = read::text(&root.join(path.trim_start_matches('/'))).map_err(|error| format!("{path}: {error}"))?;
    spec::parse(name, &text).map_err(|problems| {
        let first = problems.first().map_or_else(String::new, |problem| {
            let (line, column) = problem.position(&text);
            format!(":{line}:{column}: {}", problem.message)
        });
        let more = match problems.len() {
            0 | 1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        format!("{path}{first}{more}; `appctl check` shows all problems")
    })
}
