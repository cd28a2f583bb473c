//! A rollout as `appctl status --json` tells it. This was also the format of `rollout.json` before it had a version
//! number; [`super::earlier`] reads it back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Move, Progress, Record, Rollout, State, Switch, Task, Verb, Watching};
use crate::spec::{AppName, Instance};

/// One rollout of one app, flat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that happened")]
pub struct Report {
    /// Tells the rollouts of an app apart.
    pub id: String,
    /// The app.
    pub app: AppName,
    /// The verb that began it.
    pub verb: Verb,
    /// When, RFC 3339.
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
    /// The operator who began it, or went on with it.
    pub by: String,
    /// The process that drives it, or did.
    pub pid: u32,
    /// When that process began, in ticks since the machine did.
    #[serde(default)]
    pub pid_began: u64,
    /// Where it is. `running` without a holder of the lock means that it was interrupted.
    pub state: State,
    /// The step it is at, or was at last, for people.
    pub step: String,
    /// How it ended, for people.
    pub message: Option<String>,
    /// Whether a surge instance takes part.
    pub surge: bool,
    /// The surge instance's invocation id, once it was up.
    pub surge_run: Option<String>,
    /// How long the first new instance has to prove itself, in milliseconds.
    pub settle_ms: u64,
    /// What changes besides processes.
    pub switch: Switch,
    /// Whether the switch was begun.
    pub staged: bool,
    /// Whether it is on its way back.
    pub going_back: bool,
    /// The releases it goes from and to, when it changes the release.
    #[serde(default)]
    pub release: Option<Move>,
    /// How many of the instances, from the first, are canaries.
    #[serde(default)]
    pub canaries: usize,
    /// How long the canaries are watched, in milliseconds.
    #[serde(default)]
    pub canary_bake_ms: u64,
    /// How long everything is watched at the end, in milliseconds.
    #[serde(default)]
    pub bake_ms: u64,
    /// Whether the others may follow the canaries.
    #[serde(default)]
    pub promoted: bool,
    /// What is being watched for a while, if anything is.
    #[serde(default)]
    pub watching: Option<Watching>,
    /// Whether the operator left while all of it was watched.
    #[serde(default)]
    pub unwatched: bool,
    /// What its instances had answered when it began, in their runs then.
    #[serde(default)]
    pub responses_before: u64,
    /// Those among them with a status of 500 or above.
    #[serde(default)]
    pub errors_before: u64,
    /// Main processes of the runs it has met, by invocation id.
    #[serde(default)]
    pub shims: BTreeMap<String, u32>,
    /// Every instance with a part in it, in the order of the rollout.
    pub instances: Vec<Entry>,
}

/// What is to be done to one instance, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `1`, `2` …
    pub instance: Instance,
    /// What is to be done to it.
    pub task: TaskName,
    /// How far that is.
    pub progress: Progress,
    /// Whether it was down before.
    pub ailing: bool,
    /// Its invocation id before the rollout.
    pub old: Option<String>,
    /// Its invocation id since.
    pub new: Option<String>,
}

/// What is to be done to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskName {
    /// Replace it.
    Restart,
    /// Add it.
    Start,
    /// Take it away.
    Stop,
}

impl From<&Record> for Report {
    fn from(Record { about, rollout, .. }: &Record) -> Self {
        let request = rollout.request();
        Self {
            id: about.started.clone(),
            app: about.app.clone(),
            verb: request.verb,
            started: about.started.clone(),
            ended: about.ended.clone(),
            by: about.driver.user.clone(),
            pid: about.driver.pid,
            pid_began: about.driver.pid_began,
            state: rollout.state,
            step: rollout.step_name(),
            message: about.message.clone(),
            surge: request.policy.surge,
            surge_run: rollout.surge_run.clone(),
            settle_ms: milliseconds(request.policy.settle),
            switch: request.switch,
            staged: rollout.staged,
            going_back: rollout.going_back,
            release: about.release.clone(),
            canaries: request.canary.map_or(0, |canary| canary.count),
            canary_bake_ms: request.canary.map_or(0, |canary| milliseconds(canary.bake)),
            bake_ms: milliseconds(request.bake),
            promoted: rollout.promoted,
            watching: rollout.watching(),
            unwatched: rollout.unwatched,
            responses_before: about.responses_before,
            errors_before: about.errors_before,
            shims: about.shims.clone(),
            instances: request.tasks.iter().map(|task| Entry::of(rollout, *task)).collect(),
        }
    }
}

impl Entry {
    fn of(rollout: &Rollout, task: Task) -> Self {
        let instance = task.instance();
        let part = rollout.parts.get(&instance).cloned().unwrap_or_default();
        Self {
            instance,
            task: match task {
                Task::Restart(_) => TaskName::Restart,
                Task::Start(_) => TaskName::Start,
                Task::Stop(_) => TaskName::Stop,
            },
            progress: part.progress,
            ailing: rollout.request.ailing.contains(&instance),
            old: part.old,
            new: part.new,
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
