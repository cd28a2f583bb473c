//! What is left of a rollout that was interrupted, from its record and from how its instances are doing now.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Canary, Entry, Past, Policy, Progress, Record, Request, Task, TaskName};
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

impl Record {
    /// What is left of an interrupted rollout, given how its instances are doing now. An instance that is up in another
    /// run than before is done, whoever restarted it.
    pub fn rest(&self, seen: &BTreeMap<Instance, Seen>) -> (Request, Past) {
        let mut past = Past {
            staged: self.staged,
            ..Past::default()
        };
        if let Some(surge) = seen.get(&Instance::Surge) {
            let ours = surge.up && self.surge_run.is_some() && surge.invocation == self.surge_run;
            past.alive.insert(Instance::Surge, ours);
        }
        let mut tasks = Vec::new();
        for entry in &self.instances {
            let Some(task) = entry.task() else { continue };
            let now = seen.get(&task.instance());
            let done = entry.is_done(now);
            if !done {
                tasks.push(task);
            }
            // One that is known to run the old state needs no way back.
            let old = now.is_some_and(|now| now.up && now.new == Some(false));
            if done || (entry.progress != Progress::Waiting && !old) {
                past.begun.push(task);
                if task.brings_up() {
                    past.alive.insert(task.instance(), now.is_some_and(|now| now.up));
                }
            }
        }
        (self.request(tasks), past)
    }

    /// Canaries among what is left to do.
    fn canary(&self, tasks: &[Task]) -> Option<Canary> {
        let canaries = self.instances.iter().take(self.canaries).filter_map(Entry::task);
        let canary = Canary {
            count: canaries.filter(|task| tasks.contains(task)).count(),
            bake: Duration::from_millis(self.canary_bake_ms),
        };
        (!self.promoted).then_some(canary)
    }

    fn request(&self, tasks: Vec<Task>) -> Request {
        let ailing = self.instances.iter().filter(|entry| entry.ailing);
        Request {
            verb: self.verb,
            canary: self.canary(&tasks),
            bake: Duration::from_millis(self.bake_ms),
            tasks,
            policy: Policy {
                surge: self.surge,
                settle: Duration::from_millis(self.settle_ms),
            },
            switch: self.switch,
            ailing: ailing.filter_map(|entry| entry.instance.parse().ok()).collect(),
        }
    }
}

impl Entry {
    fn is_done(&self, now: Option<&Seen>) -> bool {
        let up = now.is_some_and(|now| now.up);
        match self.task {
            TaskName::Restart => {
                let replaced = |now: &Seen| now.new.unwrap_or(now.invocation != self.old);
                up && now.is_some_and(replaced)
            }
            TaskName::Start => up,
            TaskName::Stop => !up && self.progress != Progress::Waiting,
        }
    }
}
