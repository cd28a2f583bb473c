//! What is on disk of a rollout while it runs and after it, so that it can be explained, resumed or aborted, whatever
//! happened to the process that drove it: the rollout itself, and what it is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Rollout;
use crate::release::ReleaseId;
use crate::spec::AppName;

/// One rollout of one app. Times are RFC 3339, invocation ids 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// What the planner has no use for.
    pub about: About,
    /// What the planner knows.
    pub rollout: Rollout,
}

/// Whose rollout it is, and what is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The app.
    pub app: AppName,
    /// When it began; tells the rollouts of an app apart.
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
    /// How it ended, for people.
    pub message: Option<String>,
    /// What drives it, or did.
    pub driver: Driver,
    /// The releases it goes from and to, when it changes the release.
    pub release: Option<Move>,
    /// What its instances had answered when it began, in their runs then.
    pub responses_before: u64,
    /// Those among them with a status of 500 or above.
    pub errors_before: u64,
    /// Main processes of the runs it has met, by invocation id: what only they can have told is believed.
    pub shims: BTreeMap<String, u32>,
}

/// A process that drives a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// The operator who began it, or went on with it.
    pub user: String,
    /// The process.
    pub pid: u32,
    /// When that process began, in ticks since the machine did: another one may have its number by now.
    pub pid_began: u64,
}

/// From one release to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Live before; `None` when none was.
    pub from: Option<ReleaseId>,
    /// Live after.
    pub to: ReleaseId,
}

impl Record {
    /// The format that is written; see [`super::Report`] for the first one, which has no number in it.
    pub const VERSION: u32 = 2;

    /// A rollout, and what it is about.
    pub fn new(about: About, rollout: Rollout) -> Self {
        let version = Self::VERSION;
        Self {
            version,
            about,
            rollout,
        }
    }

    /// Hands it to another process, which goes on with it.
    pub fn hand_over(&mut self, driver: Driver) {
        self.about.driver = driver;
        self.about.ended = None;
    }

    /// It is over, `now`, and how.
    pub fn close(&mut self, now: String, message: String) {
        self.about.ended = Some(now);
        self.about.message = Some(message);
    }
}

impl About {
    /// A rollout that begins, `now`, of which nothing more is known yet.
    pub fn new(app: AppName, now: String, driver: Driver) -> Self {
        Self {
            app,
            started: now,
            ended: None,
            message: None,
            driver,
            release: None,
            responses_before: 0,
            errors_before: 0,
            shims: BTreeMap::new(),
        }
    }
}
