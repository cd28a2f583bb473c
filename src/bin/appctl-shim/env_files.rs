//! Files of variables that PID 1 reads and the app's user perhaps may not, and that must exist. PID 1 passes over a missing
//! one without an error, and it reads before any process of an instance can look: the shim would take a file that comes in
//! between for one that PID 1 has read. So `appctl-shim look FILE…`, `ExecStartPre=` of an instance, looks before
//! PID 1 reads for the main process, and the main process looks after: what both saw is what was read.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// In the instance's runtime directory, from the first look to the second.
const SEEN: &str = "env-files";
/// The app's user can write there.
const LONGEST: u64 = 1 << 16;

/// Writes down what is there. What goes wrong is no reason not to start: the main process looks as well.
pub(crate) fn look(files: impl Iterator<Item = OsString>) -> ExitCode {
    let files: Vec<PathBuf> = files.map(PathBuf::from).collect();
    if let Some(place) = runtime() {
        let _ = std::fs::write(place.join(SEEN), seen(&files));
    }
    ExitCode::SUCCESS
}

/// `$RUNTIME_DIRECTORY`; a drop-in may have added directories, and ours is the first, systemd.exec(5).
pub(crate) fn runtime() -> Option<PathBuf> {
    let all = std::env::var("RUNTIME_DIRECTORY").ok()?;
    all.split(':').next().map(PathBuf::from)
}

/// Why the app would have to do without one of them. Asked as soon as the shim runs: one that comes back during a wait is
/// for the next shim.
pub(crate) fn problem(files: &[PathBuf], runtime: Option<&Path>) -> Option<String> {
    let earlier = runtime.and_then(|place| taken(&place.join(SEEN)));
    let mut earlier = earlier.as_deref().map(str::lines);
    files.iter().find_map(|file| {
        let (before, now) = (earlier.as_mut().and_then(Iterator::next), identity(file));
        match now.as_str() {
            MISSING => Some(format!("env_file {} does not exist", file.display())),
            now if before.is_some_and(|before| before != now) => Some(format!(
                "env_file {} was created or changed while the instance started",
                file.display()
            )),
            _ => None,
        }
    })
}

/// What the first look saw, once.
fn taken(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    let _ = std::fs::remove_file(path);
    file.take(LONGEST).read_to_string(&mut text).ok().map(|_| text)
}

fn seen(files: &[PathBuf]) -> String {
    files.iter().fold(String::new(), |mut text, file| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", identity(file));
        text
    })
}

const MISSING: &str = "missing";

/// The same until a process writes, replaces or moves the file. One that the app's user cannot see may well be there.
fn identity(file: &Path) -> String {
    match file.metadata() {
        Ok(found) => format!(
            "{}:{} {}.{:09}",
            found.dev(),
            found.ino(),
            found.ctime(),
            found.ctime_nsec()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => MISSING.to_owned(),
        Err(_) => "unseen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{SEEN, problem, seen};

    #[test]
    fn only_a_file_that_is_surely_gone_is_missing() {
        let files = ["/proc/self/environ", "/proc/self/environ/x", "/nowhere.env"].map(PathBuf::from);
        assert_eq!(problem(&files[..2], None), None);
        assert_eq!(
            problem(&files, None).as_deref(),
            Some("env_file /nowhere.env does not exist")
        );
    }

    #[test]
    fn one_that_comes_or_changes_after_the_first_look_was_not_read() {
        let folder = tempfile::tempdir().expect("a directory");
        let files = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&files[0], "A=1\n").expect("written");
        let look = || std::fs::write(folder.path().join(SEEN), seen(&files)).expect("written");
        let second = || problem(&files, Some(folder.path()));
        let changed = |file: &PathBuf| {
            Some(format!(
                "env_file {} was created or changed while the instance started",
                file.display()
            ))
        };
        look();
        std::fs::write(&files[1], "B=1\n").expect("written");
        assert_eq!(second(), changed(&files[1]));
        // The next start has read it; a look counts once.
        look();
        assert_eq!((second(), second()), (None, None));
        look();
        std::fs::write(folder.path().join("c"), "A=2\n").expect("written");
        std::fs::rename(folder.path().join("c"), &files[0]).expect("renamed");
        assert_eq!(second(), changed(&files[0]));
        // `look` has not run before this start.
        std::fs::remove_file(&files[1]).expect("removed");
        assert!(second().is_some_and(|why| why.ends_with("does not exist")));
    }
}
