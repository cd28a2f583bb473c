//! What systemd knows of units, in its own words, org.freedesktop.systemd1(5).

use std::time::Duration;

use crate::contract::ShimStatus;
use crate::release::ReleaseId;

/// `ActiveState` of org.freedesktop.systemd1(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Up; for an instance that means ready.
    Active,
    /// Up, and reading its configuration again.
    Reloading,
    /// Down, without complaint.
    Inactive,
    /// Down, after a failure.
    Failed,
    /// On its way up, or waiting to be started again.
    Activating,
    /// On its way down: an instance drains.
    Deactivating,
}

impl Activity {
    /// The state of this name; an unknown one is down.
    pub fn of(word: &str) -> Self {
        match word {
            "active" | "refreshing" => Self::Active,
            "reloading" => Self::Reloading,
            "failed" => Self::Failed,
            "activating" => Self::Activating,
            "deactivating" => Self::Deactivating,
            _ => Self::Inactive,
        }
    }

    /// Up or reloading.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Active | Self::Reloading)
    }

    /// Neither up nor on the way up or down.
    pub fn is_down(self) -> bool {
        matches!(self, Self::Inactive | Self::Failed)
    }
}

/// One row of a unit list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Full name with suffix.
    pub name: String,
    /// `loaded`, `not-found`, `masked`, `error`, `bad-setting`.
    pub load: String,
    /// Whether it is up.
    pub activity: Activity,
    /// The state of its own kind, `running`, `auto-restart`, `listening` …
    pub sub: String,
    /// The queued or running job's number.
    pub job: Option<u32>,
}

/// What systemd knows of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceState {
    /// Full name with suffix.
    pub unit: String,
    /// `loaded`, `not-found`, `masked`, `error`, `bad-setting`.
    pub load: String,
    /// Whether it is up.
    pub activity: Activity,
    /// `running`, `start`, `auto-restart`, `stop-sigterm`, `dead` …
    pub sub: String,
    /// The queued or running job's number. Between the two halves of a restart it is all that tells.
    pub job: Option<u32>,
    /// Number of this run, 32 hexadecimal digits; `None` when it never ran.
    pub invocation: Option<String>,
    /// The main process: the shim.
    pub main_pid: Option<u32>,
    /// Automatic restarts since it was last started by request.
    pub restarts: u32,
    /// What the shim says, see [`crate::contract::ShimStatus`].
    pub status_text: String,
    /// When it last became active, since 1970.
    pub active_since: Option<Duration>,
    /// Exit status of the last main process, or its signal; read only when the unit is not up.
    pub exit_status: i32,
    /// Why the status counts: `CLD_EXITED` 1, `CLD_KILLED` 2, `CLD_DUMPED` 3, 0 when it never ended.
    pub exit_code: i32,
    /// `success`, `exit-code`, `signal`, `timeout`, `oom-kill` …
    pub result: String,
}

impl InstanceState {
    /// What a row of the unit list tells; as if it had never run where there is none.
    pub fn listed(unit: &str, row: Option<&UnitState>) -> Self {
        Self {
            unit: unit.to_owned(),
            load: row.map_or_else(|| "not-found".to_owned(), |row| row.load.clone()),
            activity: row.map_or(Activity::Inactive, |row| row.activity),
            sub: row.map_or_else(|| "dead".to_owned(), |row| row.sub.clone()),
            job: row.and_then(|row| row.job),
            invocation: None,
            main_pid: None,
            restarts: 0,
            status_text: String::new(),
            active_since: None,
            exit_status: 0,
            exit_code: 0,
            result: "success".to_owned(),
        }
    }
}

/// One service at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Full name with suffix.
    pub unit: String,
    /// Whether it is up.
    pub activity: Activity,
    /// `running`, `start`, `auto-restart`, `stop-sigterm`, `dead` …
    pub sub: String,
    /// The main process: the shim. Only when asked for.
    pub main_pid: Option<u32>,
    /// Automatic restarts since it was last started by request.
    pub restarts: u32,
    /// What the shim says, see [`crate::contract::ShimStatus`].
    pub status_text: String,
    /// When it last became active, since 1970.
    pub active_since: Option<Duration>,
}

impl Glance {
    /// A unit that is not loaded.
    pub fn absent(unit: String) -> Self {
        Self {
            unit,
            activity: Activity::Inactive,
            sub: "dead".to_owned(),
            main_pid: None,
            restarts: 0,
            status_text: String::new(),
            active_since: None,
        }
    }
}

/// The release that a shim says it runs, when that is the name of one.
pub fn reported_release(shim: &ShimStatus) -> Option<ReleaseId> {
    shim.release.as_deref()?.parse().ok()
}
