//! The record of an app's last rollout, written whole at every step: `/run/appctl/NAME/rollout.json`, or durably
//! `/var/lib/appctl/NAME/rollout.json` when the release changes. In `/run` beside it, for root only, the configuration
//! before and after, which may hold secrets.

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::files::{self, FileError};
use super::lock::Lock;
use crate::release::Layout;
use crate::rollout::{Record, State};
use crate::spec::AppName;

const RECORD: &str = "rollout.json";
const BEFORE: &str = "before.toml";
const AFTER: &str = "after.toml";
const ENV_BEFORE: &str = "before.env";
const ENV_AFTER: &str = "after.env";

/// The last rollout of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// What is recorded of it.
    pub record: Record,
    /// Whether a process drives it now.
    pub driven: bool,
}

impl Last {
    /// Whether whoever drove it is gone and left it open.
    pub fn is_interrupted(&self) -> bool {
        !self.driven && matches!(self.record.state, State::Running | State::Interrupted)
    }
}

/// What a change of configuration replaces, and what by; `None` is no file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// The applied file before.
    pub before: Option<String>,
    /// The applied file after.
    pub after: Option<String>,
    /// What `appctl env` keeps, before.
    pub env_before: Option<String>,
    /// And after.
    pub env_after: Option<String>,
}

/// The last rollout of an app; `None` when there was none that is remembered, or the record makes no sense. One of a
/// release that is open comes before everything that happened since.
pub fn read(layout: &Layout, app: &AppName) -> Result<Option<Last>, FileError> {
    let path = layout.run(app).join(RECORD);
    let mut before = None;
    loop {
        let Some(record) = last(layout, app)? else {
            return Ok(None);
        };
        let driven =
            Lock::is_held(layout, app, record.pid, record.pid_began).map_err(FileError::io("look at", &path))?;
        // Whoever drove it may have written its end between the two looks, and then let go of the lock.
        if driven || record.ended.is_some() || before.as_ref() == Some(&record) {
            return Ok(Some(Last { record, driven }));
        }
        before = Some(record);
    }
}

fn last(layout: &Layout, app: &AppName) -> Result<Option<Record>, FileError> {
    let both = (
        read_one(&layout.journal(app))?,
        read_one(&layout.run(app).join(RECORD))?,
    );
    Ok(match both {
        (Some(durable), Some(passing)) if !durable.state.is_open() && began(&durable) < began(&passing) => {
            Some(passing)
        }
        (Some(record), _) | (None, Some(record)) => Some(record),
        (None, None) => None,
    })
}

/// The last rollout of a release, whatever happened since.
pub fn read_release(layout: &Layout, app: &AppName) -> Result<Option<Record>, FileError> {
    read_one(&layout.journal(app))
}

fn read_one(path: &Path) -> Result<Option<Record>, FileError> {
    let text = files::read_config_if_any(path)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Comparable: without the letter a time to the second comes before all with a fraction of that second.
fn began(record: &Record) -> &str {
    record.started.trim_end_matches('Z')
}

/// Replaces the record. Everyone may read it.
pub fn write(layout: &Layout, app: &AppName, record: &Record) -> Result<(), FileError> {
    let path = layout.run(app).join(RECORD);
    let text = serde_json::to_string_pretty(record).map_err(|error| FileError::io("write", &path)(error.into()))?;
    if record.switch.commit {
        return files::write_atomic(&layout.journal(app), &text);
    }
    replace(&path, &text, 0o644).map_err(FileError::io("write", &path))
}

/// Keeps both texts of a change, for a way back that a later process may have to take.
pub fn write_texts(layout: &Layout, app: &AppName, texts: &Texts) -> Result<(), FileError> {
    let all = [
        (BEFORE, &texts.before),
        (AFTER, &texts.after),
        (ENV_BEFORE, &texts.env_before),
        (ENV_AFTER, &texts.env_after),
    ];
    for (name, text) in all {
        let path = layout.run(app).join(name);
        match text {
            Some(text) => replace(&path, text, 0o600).map_err(FileError::io("write", &path))?,
            None => drop(files::remove(&path)?),
        }
    }
    Ok(())
}

/// The texts of the last change.
pub fn read_texts(layout: &Layout, app: &AppName) -> Result<Texts, FileError> {
    let text = |name| files::read_config_if_any(&layout.run(app).join(name));
    Ok(Texts {
        before: text(BEFORE)?,
        after: text(AFTER)?,
        env_before: text(ENV_BEFORE)?,
        env_after: text(ENV_AFTER)?,
    })
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
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::{Texts, read, read_texts, write, write_texts};
    use crate::release::Layout;
    use crate::rollout::{Policy, Record, Request, State, Switch, Verb};

    fn record() -> Record {
        let policy = Policy {
            surge: true,
            settle: Duration::from_millis(1500),
        };
        let request = Request::new(Verb::Apply, (2, 3), true, Vec::new(), policy);
        Record::new(
            "2026-11-22T10:15:00Z".into(),
            "a".into(),
            ("ann".into(), 4711),
            &request,
            &BTreeMap::new(),
        )
    }

    #[test]
    fn a_record_that_says_running_without_a_driver_was_interrupted() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        assert_eq!(read(&layout, &app).expect("readable"), None);
        write(&layout, &app, &record()).expect("writable");
        let last = read(&layout, &app).expect("readable").expect("there");
        assert_eq!(last.record, record());
        assert!(last.is_interrupted());
    }

    #[test]
    fn an_open_deploy_is_not_forgotten_for_a_restart_that_came_later() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let mut deploy = record();
        deploy.verb = Verb::Deploy;
        deploy.switch = Switch::RELEASE;
        write(&layout, &app, &deploy).expect("writable");
        let mut restart = record();
        restart.started = "2026-11-22T10:15:00.5Z".into();
        write(&layout, &app, &restart).expect("writable");
        let last = || read(&layout, &app).expect("readable").expect("there").record.verb;
        assert_eq!(last(), Verb::Deploy);
        deploy.state = State::Done;
        write(&layout, &app, &deploy).expect("writable");
        assert_eq!(last(), Verb::Apply);
        std::fs::remove_dir_all(layout.run(&app)).expect("gone");
        assert_eq!(last(), Verb::Deploy, "the machine was reset");
    }

    #[test]
    fn a_record_that_makes_no_sense_is_none() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        write(&layout, &app, &record()).expect("writable");
        std::fs::write(layout.run(&app).join("rollout.json"), "{").expect("writable");
        assert_eq!(read(&layout, &app).expect("readable"), None);
    }

    #[test]
    fn configuration_is_kept_for_root_only_and_absence_is_kept_too() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let both = Texts {
            before: Some("x".into()),
            after: Some("y".into()),
            env_before: None,
            env_after: Some("A=1".into()),
        };
        write_texts(&layout, &app, &both).expect("writable");
        let mode = std::fs::metadata(layout.run(&app).join("before.toml")).expect("there");
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        let first = Texts { before: None, ..both };
        write_texts(&layout, &app, &first).expect("writable");
        assert_eq!(read_texts(&layout, &app).expect("readable"), first);
    }
}
