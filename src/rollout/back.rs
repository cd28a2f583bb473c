//! The way back, and how a rollout that did not get to its end is left.

use super::machine::Rollout;
use super::phase::{Cause, Phase};
use super::{Event, Failure, Outcome, Step, Task};
use crate::spec::Instance;

impl Rollout {
    /// The next step once the way forward has ended early.
    pub(super) fn back(&mut self) -> Step {
        if self.leaves_as_it_is() {
            return self.finish(Outcome::Interrupted { clean: false });
        }
        if self.can_undo() && self.returning.is_none() {
            self.returning = Some(Vec::new());
            self.going_back = true;
            return self.go(Phase::Undoing);
        }
        while let Some(task) = self.next_on_the_way_back() {
            self.returned.insert(task.instance());
            if self.is_worth(task) {
                return self.run(task);
            }
        }
        if self.alive.contains_key(&Instance::Surge) && !self.stands_in() {
            return self.run(Task::Stop(Instance::Surge));
        }
        let outcome = self.outcome();
        self.finish(outcome)
    }

    pub(super) fn note_undo(&mut self, event: Event) -> bool {
        match event {
            Event::Undone => self.returning = Some(self.way_back()),
            Event::NotUndone(why) => self.no_way_back = Some(why),
            _ => return false,
        }
        true
    }

    /// What had gone back already shows that the old state fails too; the rest is on its way.
    pub(super) fn lost_on_the_way_back(&mut self, instance: Instance, why: String) {
        if self.returned.contains(&instance) {
            let failure = Failure::of(instance, why);
            self.no_way_back.get_or_insert_with(|| failure.to_string());
        }
    }

    /// An operator who leaves half way finds things as they are; before that, nothing is left behind.
    fn leaves_as_it_is(&self) -> bool {
        self.cause == Some(Cause::Interrupted) && !self.begun.is_empty()
    }

    fn can_undo(&self) -> bool {
        self.request.switch.undo && self.staged
    }

    /// Newest first, and what was added goes last.
    fn way_back(&self) -> Vec<Task> {
        let newest = self.begun.iter().rev().map(|task| task.reverse());
        let (up, stop): (Vec<_>, Vec<_>) = newest.partition(|task| task.brings_up());
        up.into_iter().chain(stop).collect()
    }

    /// What is down first, since that takes nothing away. Before anything that serves is touched, a surge
    /// instance that is not up is raised on the old state.
    fn next_on_the_way_back(&mut self) -> Option<Task> {
        let queue = self.returning.as_ref().filter(|queue| !queue.is_empty())?;
        let down = queue.iter().position(|task| self.is_down(task.instance()));
        let surge = self.is_up(Instance::Surge) || self.returned.contains(&Instance::Surge);
        if down.is_none() && self.replaced() && !surge {
            return Some(Task::Restart(Instance::Surge));
        }
        self.returning.as_mut().map(|queue| queue.remove(down.unwrap_or(0)))
    }

    /// Whether an instance was replaced that has to be replaced once more.
    fn replaced(&self) -> bool {
        let replaced = self.begun.iter().any(|task| matches!(task, Task::Restart(_)));
        self.request.policy.surge && replaced
    }

    /// Where the old state does not come up either, what serves is left alone.
    fn is_worth(&self, task: Task) -> bool {
        self.no_way_back.is_none() || self.is_down(task.instance())
    }

    fn is_down(&self, instance: Instance) -> bool {
        self.alive.get(&instance) == Some(&false)
    }

    /// Whether the surge instance has to stay, because another one is missing. An operator who ends a
    /// rollout that has no way back wants it gone in any case.
    fn stands_in(&self) -> bool {
        let missing = self.down().any(|instance| !self.request.ailing.contains(&instance));
        let ended = self.cause == Some(Cause::Aborted) && self.no_way_back.is_none();
        missing && !ended && self.is_up(Instance::Surge)
    }

    fn outcome(&self) -> Outcome {
        let returned = self.returning.is_some() && self.no_way_back.is_none();
        let untouched = self.begun.is_empty() && self.no_way_back.is_none();
        let stands_in = self.stands_in();
        match self.cause.clone() {
            Some(Cause::Failed(failure)) if untouched => Outcome::Kept(failure),
            Some(Cause::Failed(failure)) if returned => Outcome::WentBack(failure),
            Some(Cause::Failed(failure)) => self.stopped(failure, stands_in),
            Some(Cause::Aborted) => Outcome::Aborted {
                went_back: returned || untouched,
                no_way_back: self.no_way_back.clone(),
            },
            Some(Cause::Interrupted) | None => Outcome::Interrupted { clean: untouched },
        }
    }

    fn stopped(&self, failure: Failure, stands_in: bool) -> Outcome {
        Outcome::Stopped {
            failure,
            stands_in,
            no_way_back: self.no_way_back.clone(),
        }
    }
}
