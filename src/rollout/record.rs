//! What is kept of a rollout while it runs and after it, so that it can be explained, resumed or aborted, whatever
//! happened to the program that drove it. Times are RFC 3339, invocation ids 32 hexadecimal digits.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

use super::{Entry, Event, Outcome, Progress, Request, Step, Switch, Task, TaskName, Verb};
use crate::spec::Instance;

/// One rollout of one app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that happened")]
pub struct Record {
    /// Tells rollouts apart.
    pub id: String,
    /// The app.
    pub app: String,
    /// The verb that began it.
    pub verb: Verb,
    /// When.
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
    /// Who began it, or went on with it.
    pub by: String,
    /// The process that drives it, or did.
    pub pid: u32,
    /// When that process began, in ticks since the machine did: another one may have its number by now.
    #[serde(default)]
    pub pid_began: u64,
    /// Where it is. `running` without a holder of the lock means that it was interrupted.
    pub state: State,
    /// The step it is at, or was at last.
    pub step: String,
    /// How it ended, for people.
    pub message: Option<String>,
    /// Whether a surge instance takes part.
    pub surge: bool,
    /// The surge instance's run, once it was up.
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
    /// Main processes of the runs it has met, by invocation id: what only they can have told is believed.
    #[serde(default)]
    pub shims: BTreeMap<String, u32>,
    /// Every instance with a part in it, in the order of the rollout.
    pub instances: Vec<Entry>,
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watching {
    /// A few instances, before the others follow.
    Canaries,
    /// All that is new, at the end.
    All,
}

impl Watching {
    fn of(step: &Step) -> Option<Self> {
        match step {
            Step::Bake { canary: true, .. } => Some(Self::Canaries),
            Step::Bake { canary: false, .. } => Some(Self::All),
            _ => None,
        }
    }
}

/// From one release to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Live before; `None` when none was.
    pub from: Option<String>,
    /// Live after.
    pub to: String,
}

/// Where a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not ended.
    Running,
    /// Everything asked for is done.
    Done,
    /// Failed before anything was touched.
    Kept,
    /// Failed, and everything was put back.
    WentBack,
    /// Failed half way.
    Stopped,
    /// The operator left half way.
    Interrupted,
    /// The operator took it back.
    Aborted,
}

impl Record {
    /// A record of what is about to begin; `old` are the runs before it.
    pub fn new(
        id: String,
        app: String,
        (by, pid): (String, u32),
        request: &Request,
        old: &BTreeMap<Instance, String>,
    ) -> Self {
        let entry = |task: &Task| Entry {
            instance: task.instance().to_string(),
            task: TaskName::of(*task),
            progress: Progress::Waiting,
            ailing: request.ailing.contains(&task.instance()),
            old: old.get(&task.instance()).cloned(),
            new: None,
        };
        Self {
            started: id.clone(),
            id,
            app,
            verb: request.verb,
            ended: None,
            by,
            pid,
            pid_began: 0,
            state: State::Running,
            step: String::new(),
            message: None,
            surge: request.policy.surge,
            surge_run: None,
            settle_ms: milliseconds(request.policy.settle),
            switch: request.switch,
            staged: false,
            going_back: false,
            release: None,
            canaries: request.canary.map_or(0, |canary| canary.count),
            canary_bake_ms: request.canary.map_or(0, |canary| milliseconds(canary.bake)),
            bake_ms: milliseconds(request.bake),
            promoted: request.canary.is_none(),
            watching: None,
            unwatched: false,
            responses_before: 0,
            errors_before: 0,
            shims: BTreeMap::new(),
            instances: request.tasks.iter().map(entry).collect(),
        }
    }

    /// Remembers a step before it is taken.
    pub fn begins(&mut self, step: &Step) {
        match step {
            Step::Continue => return,
            Step::Stage => self.staged = true,
            Step::Run(task) => self.mark(task.instance(), Progress::Running),
            Step::Finish(outcome) => {
                self.state = State::of(outcome);
                return;
            }
            Step::Undo => self.going_back = true,
            Step::Commit => self.promoted = true,
            Step::Settle(_) | Step::Bake { .. } => {}
        }
        self.watching = Watching::of(step);
        self.step = step.to_string();
    }

    /// Remembers what came of it; `run` is the invocation id of an instance that came up.
    pub fn happened(&mut self, event: &Event, run: Option<String>) {
        match event {
            Event::Up(Instance::Surge) => self.surge_run = run,
            Event::Up(instance) => {
                self.mark(*instance, Progress::Done);
                if let Some(entry) = self.entry(*instance) {
                    entry.new = run;
                }
            }
            Event::Down(instance) => self.mark(*instance, Progress::Done),
            Event::Refused(instance, _) => self.mark(*instance, Progress::Waiting),
            Event::Interrupted => self.unwatched = self.watching == Some(Watching::All),
            Event::NotUp(instance, _) | Event::Died(instance, _) => self.mark(*instance, Progress::Failed),
            _ => {}
        }
    }

    fn entry(&mut self, instance: Instance) -> Option<&mut Entry> {
        let name = instance.to_string();
        self.instances.iter_mut().find(|entry| entry.instance == name)
    }

    fn mark(&mut self, instance: Instance, progress: Progress) {
        if let Some(entry) = self.entry(instance) {
            entry.progress = progress;
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl State {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { .. } => Self::Done,
            Outcome::Kept(_) | Outcome::Interrupted { clean: true } => Self::Kept,
            Outcome::WentBack(_) => Self::WentBack,
            Outcome::Stopped { .. } => Self::Stopped,
            Outcome::Interrupted { clean: false } => Self::Interrupted,
            Outcome::Aborted { .. } => Self::Aborted,
        }
    }

    /// Whether `resume` and `abort` have something to do, once nobody drives the rollout any more.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Interrupted | Self::Stopped)
    }
}
