//! The way forward: what is put in place, proven, watched and made final, in this order.

use super::machine::Rollout;
use super::phase::{Phase, Switched};
use super::{Outcome, Step, Task};
use crate::spec::Instance;

impl Rollout {
    /// The next step as long as nothing went wrong.
    pub(super) fn forward(&mut self) -> Step {
        if self.request.switch.stage && self.switched == Switched::No {
            self.switched = Switched::Staged;
            self.staged = true;
            return self.go(Phase::Staging);
        }
        if self.lacks_surge() {
            return self.run(Task::Start(Instance::Surge));
        }
        if !self.proven && self.alive.values().any(|up| *up) {
            if !self.request.policy.settle.is_zero() {
                return self.go(Phase::Settling);
            }
            self.proven = true;
        }
        if self.canaries.is_none() && self.commits() {
            self.promoted = true;
            return self.go(Phase::Committing);
        }
        if let Some(task) = self.take_task() {
            return self.run(task);
        }
        if self.alive.contains_key(&Instance::Surge) {
            return self.run(Task::Stop(Instance::Surge));
        }
        self.bake().unwrap_or_else(|| {
            let still_down = self.down().collect();
            self.finish(Outcome::Done { still_down })
        })
    }

    /// What may be done before the canaries have been watched, or everything that is left.
    fn due(&self) -> impl Iterator<Item = &Task> {
        self.ahead.iter().take(self.canaries.unwrap_or(usize::MAX))
    }

    /// Once it has proven the new state, one that is not up has failed, or was stopped while the canaries were watched.
    fn lacks_surge(&self) -> bool {
        let surge = self.alive.get(&Instance::Surge).copied();
        let replaces = self.due().any(|task| matches!(task, Task::Restart(_)));
        self.request.policy.surge && replaces && surge != Some(true) && !(self.proven && surge.is_some())
    }

    /// Not before an instance has proven the new state, be it the surge or the first that is replaced.
    fn commits(&self) -> bool {
        self.proven && self.request.switch.commit && self.switched != Switched::Committed
    }

    fn take_task(&mut self) -> Option<Task> {
        if let Some(left) = &mut self.canaries {
            *left = left.checked_sub(1)?;
        }
        let task = self.ahead.pop_front()?;
        if !self.begun.contains(&task) {
            self.begun.push(task);
        }
        Some(task)
    }

    fn bake(&mut self) -> Option<Step> {
        let canary = self.request.canary.is_some() && self.canaries.is_some();
        let all = !self.baked && self.alive.values().any(|up| *up);
        (canary || all).then(|| self.go(Phase::Baking { canary }))
    }
}
