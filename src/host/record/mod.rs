//! The record of an app's last rollout, written whole at every step: `/run/appctl/NAME/rollout.json`, or durably
//! `/var/lib/appctl/NAME/rollout.json` when the release changes. In `/run` beside it, for root only, the configuration
//! before and after, which may hold secrets.

#[cfg(test)]
mod earlier;
mod texts;

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Deserialize;

use super::files::{self, FileError};
use super::lock::Lock;
use crate::release::AppPaths;
use crate::rollout::{Record, Report, State};

pub use texts::{read_texts, write_texts};

const RECORD: &str = "rollout.json";

/// The last rollout of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// What is recorded of it.
    pub record: Record,
    /// Whether a process drives it now.
    pub driven: bool,
}

impl Last {
    /// Whether the process that drove it is gone and left it open.
    pub fn is_interrupted(&self) -> bool {
        !self.driven && matches!(self.record.rollout.state(), State::Running | State::Interrupted)
    }
}

/// The last rollout of an app; `None` when there was none that is remembered, or the record makes no sense. One of a
/// release that is open comes before everything that happened since.
pub fn read(paths: AppPaths<'_>) -> Result<Option<Last>, FileError> {
    let path = paths.run().join(RECORD);
    let mut before = None;
    loop {
        let Some(record) = last(paths)? else {
            return Ok(None);
        };
        let process = &record.about.driver;
        let driven = Lock::is_held(paths, process.pid, process.pid_began).map_err(FileError::io("inspect", &path))?;
        // The process that drove it may have written its end between the two looks, and then let go of the lock.
        if driven || record.about.ended.is_some() || before.as_ref() == Some(&record) {
            return Ok(Some(Last { record, driven }));
        }
        before = Some(record);
    }
}

fn last(paths: AppPaths<'_>) -> Result<Option<Record>, FileError> {
    let both = (read_one(&paths.journal())?, read_one(&paths.run().join(RECORD))?);
    Ok(match both {
        (Some(durable), Some(passing)) if !durable.rollout.state().is_open() && began(&durable) < began(&passing) => {
            Some(passing)
        }
        (Some(record), _) | (None, Some(record)) => Some(record),
        (None, None) => None,
    })
}

/// The last rollout of a release, whatever happened since.
pub fn read_release(paths: AppPaths<'_>) -> Result<Option<Record>, FileError> {
    read_one(&paths.journal())
}

fn read_one(path: &Path) -> Result<Option<Record>, FileError> {
    let text = files::read_config_if_any(path)?;
    Ok(text.and_then(|text| parse(&text).ok()))
}

/// Which format a file has.
#[derive(Deserialize)]
struct Head {
    /// Files had none at first.
    version: Option<u32>,
}

/// A record of any version that has ever been written.
fn parse(text: &str) -> serde_json::Result<Record> {
    let head: Head = serde_json::from_str(text)?;
    match head.version {
        None => serde_json::from_str::<Report>(text).map(Record::from),
        Some(Record::VERSION) => serde_json::from_str(text),
        Some(other) => Err(serde::de::Error::custom(format_args!("unknown version {other}"))),
    }
}

/// Comparable: without the letter a time to the second comes before all with a fraction of that second.
fn began(record: &Record) -> &str {
    record.about.started.trim_end_matches('Z')
}

/// Replaces the record. Everyone may read it.
pub fn write(paths: AppPaths<'_>, record: &Record) -> Result<(), FileError> {
    let path = paths.run().join(RECORD);
    let text = serde_json::to_string_pretty(record).map_err(|error| FileError::io("write", &path)(error.into()))?;
    if record.rollout.request().switch.commit {
        return files::write_atomic(&paths.journal(), &text);
    }
    replace(&path, &text, 0o644).map_err(FileError::io("write", &path))
}

/// Not synced: `/run` does not outlive the machine.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".rollout-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{read, write};
    use crate::release::Layout;
    use crate::rollout::{About, Driver, Event, Policy, Record, Report, Request, Rollout, State, Verb};

    fn record(verb: Verb, started: &str) -> Record {
        let policy = Policy {
            surge: true,
            settle: Duration::from_millis(1500),
        };
        let driver = Driver {
            user: "ann".into(),
            pid: 4711,
            pid_began: 0,
        };
        let about = About::new("a".parse().expect("a name"), started.into(), driver);
        let request = Request::new(verb, (2, 2), true, Vec::new(), policy);
        Record::new(about, Rollout::new(request))
    }

    fn began() -> Record {
        record(Verb::Apply, "2026-11-22T10:15:00Z")
    }

    #[test]
    fn a_record_that_says_running_without_a_driver_was_interrupted() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        assert_eq!(read(layout.of(&app)).expect("readable"), None);
        write(layout.of(&app), &began()).expect("writable");
        let last = read(layout.of(&app)).expect("readable").expect("there");
        assert_eq!(last.record, began());
        assert!(last.is_interrupted());
    }

    #[test]
    fn an_open_deploy_is_not_forgotten_for_a_restart_that_came_later() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let mut deploy = record(Verb::Deploy, "2026-11-22T10:15:00Z");
        write(layout.of(&app), &deploy).expect("writable");
        let restart = record(Verb::Apply, "2026-11-22T10:15:00.5Z");
        write(layout.of(&app), &restart).expect("writable");
        let last = || {
            read(layout.of(&app))
                .expect("readable")
                .expect("there")
                .record
                .rollout
                .verb()
        };
        assert_eq!(last(), Verb::Deploy);
        deploy.rollout.step(Event::Begin);
        deploy.rollout.step(Event::NotSwitched("boom".into()));
        deploy.rollout.step(Event::Undone);
        assert_eq!(deploy.rollout.state(), State::Kept);
        write(layout.of(&app), &deploy).expect("writable");
        assert_eq!(last(), Verb::Apply);
        std::fs::remove_dir_all(layout.of(&app).run()).expect("gone");
        assert_eq!(last(), Verb::Deploy, "the machine was reset");
    }

    #[test]
    fn what_an_earlier_version_has_left_open_is_still_open() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        write(layout.of(&app), &began()).expect("writable");
        let left = include_str!("earlier/deploy-left-canaries.json");
        std::fs::write(layout.of(&app).run().join("rollout.json"), left).expect("writable");
        let last = read(layout.of(&app)).expect("readable").expect("there");
        assert!(last.is_interrupted());
        let shown = serde_json::to_string_pretty(&Report::from(&last.record)).expect("plain data");
        assert_eq!(shown + "\n", left);
    }

    #[test]
    fn a_record_of_a_later_version_is_not_guessed_at() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        write(layout.of(&app), &began()).expect("writable");
        let path = layout.of(&app).run().join("rollout.json");
        let text = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, text.replace("\"version\": 2", "\"version\": 3")).expect("writable");
        assert_eq!(read(layout.of(&app)).expect("readable"), None);
    }

    #[test]
    fn a_record_that_makes_no_sense_is_none() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        write(layout.of(&app), &began()).expect("writable");
        std::fs::write(layout.of(&app).run().join("rollout.json"), "{").expect("writable");
        assert_eq!(read(layout.of(&app)).expect("readable"), None);
    }
}
