//! The rest of a rollout that was interrupted, from what it knows and from how its instances are doing now.

use std::collections::{BTreeMap, VecDeque};

use super::{Progress, Rollout, Task};
use crate::spec::Instance;

/// How an instance is doing when an interrupted rollout is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Whether it is up and ready.
    pub up: bool,
    /// Its current run.
    pub invocation: Option<String>,
    /// Whether it runs the new state, when that can be told.
    pub new: Option<bool>,
}

impl Rollout {
    /// Makes it ready to be driven by another process, given how its instances are doing now; its next event is
    /// [`super::Event::Begin`] or [`super::Event::Abort`]. An instance that is up in another run than before is done,
    /// whatever restarted it. The new state is put in place and has to prove itself once more: how far that had come is
    /// not known.
    pub fn reopen(&mut self, seen: &BTreeMap<Instance, Seen>) {
        let tasks = || self.request.tasks.iter().copied();
        let ahead: VecDeque<Task> = tasks().filter(|task| !self.is_done(*task, seen)).collect();
        let begun: Vec<Task> = tasks().filter(|task| self.was_begun(*task, seen)).collect();
        *self = Self {
            canaries: self.canaries_among(&ahead),
            alive: self.survivors(&begun, seen),
            ahead,
            begun,
            parts: std::mem::take(&mut self.parts),
            surge_run: self.surge_run.take(),
            staged: self.staged,
            going_back: self.going_back,
            promoted: self.promoted,
            unwatched: self.unwatched,
            ..Self::new(self.request.clone())
        };
    }

    fn is_done(&self, task: Task, seen: &BTreeMap<Instance, Seen>) -> bool {
        let now = seen.get(&task.instance());
        let up = now.is_some_and(|now| now.up);
        let part = self.parts.get(&task.instance());
        match task {
            Task::Restart(_) => {
                let old = part.and_then(|part| part.old.as_ref());
                let replaced = |now: &Seen| now.new.unwrap_or(now.invocation.as_ref() != old);
                up && now.is_some_and(replaced)
            }
            Task::Start(_) => up,
            Task::Stop(_) => !up && self.is_touched(task),
        }
    }

    /// Whether it has to go back on the way back. One that is known to run the old state does not.
    fn was_begun(&self, task: Task, seen: &BTreeMap<Instance, Seen>) -> bool {
        let now = seen.get(&task.instance());
        let old = now.is_some_and(|now| now.up && now.new == Some(false));
        self.is_done(task, seen) || (self.is_touched(task) && !old)
    }

    fn is_touched(&self, task: Task) -> bool {
        let part = self.parts.get(&task.instance());
        part.is_some_and(|part| part.progress != Progress::Waiting)
    }

    /// What the rollout had brought up, the surge among it, and whether that is up now.
    fn survivors(&self, begun: &[Task], seen: &BTreeMap<Instance, Seen>) -> BTreeMap<Instance, bool> {
        let begun = begun.iter().filter(|task| task.brings_up());
        let up = |who: Instance| seen.get(&who).is_some_and(|now| now.up);
        let mut alive: BTreeMap<Instance, bool> = begun.map(|task| (task.instance(), up(task.instance()))).collect();
        if let Some(surge) = seen.get(&Instance::Surge) {
            let ours = surge.up && self.surge_run.is_some() && surge.invocation == self.surge_run;
            alive.insert(Instance::Surge, ours);
        }
        alive
    }

    fn canaries_among(&self, ahead: &VecDeque<Task>) -> Option<usize> {
        let canary = self.request.canary.filter(|_| !self.promoted)?;
        let canaries = self.request.tasks.iter().take(canary.count);
        Some(canaries.filter(|task| ahead.contains(task)).count())
    }
}
