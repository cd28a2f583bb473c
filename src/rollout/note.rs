//! What an event means to a rollout.

use super::machine::Rollout;
use super::part::Progress;
use super::phase::{Cause, Phase, State, Switched, Watching};
use super::{Event, Failure, Task};
use crate::spec::Instance;

impl Rollout {
    /// Remembers what happened; whether that ends the current phase.
    pub(super) fn note(&mut self, event: Event) -> bool {
        if self.state != State::Running {
            return false;
        }
        match (self.phase, event) {
            (Phase::Fresh, Event::Begin) => true,
            (Phase::Fresh, Event::Abort) => {
                self.cause = Some(Cause::Aborted);
                true
            }
            (phase, Event::Interrupted) => {
                self.interrupted = true;
                self.unwatched = self.watching() == Some(Watching::All);
                phase.only_watches()
            }
            (phase, Event::Died(instance, why)) => {
                self.note_death(instance, why);
                phase.only_watches() && self.cause.is_some()
            }
            (Phase::Baking { canary }, event) => self.note_baking(canary, &event),
            (Phase::Staging | Phase::Committing, event) => self.note_switch(event),
            (Phase::Undoing, event) => self.note_undo(event),
            (Phase::Settling, Event::Settled) => {
                self.proven = true;
                true
            }
            (Phase::Running(task), event) => self.note_task(task, event),
            _ => false,
        }
    }

    fn note_baking(&mut self, canary: bool, event: &Event) -> bool {
        match event {
            Event::Baked | Event::Promote if canary => self.canaries = None,
            Event::Baked => self.baked = true,
            Event::Abort => self.cause = Some(Cause::Aborted),
            Event::Errs(instance, why) => self.fail(Failure::of(*instance, why.clone())),
            _ => return false,
        }
        true
    }

    fn note_switch(&mut self, event: Event) -> bool {
        match event {
            Event::Switched => {
                if self.phase == Phase::Committing {
                    self.switched = Switched::Committed;
                }
                true
            }
            Event::NotSwitched(why) => {
                self.fail(Failure { instance: None, why });
                true
            }
            _ => false,
        }
    }

    fn note_task(&mut self, task: Task, event: Event) -> bool {
        let instance = task.instance();
        match event {
            Event::Up(who, run) if who == instance && task.brings_up() => self.note_up(instance, run),
            Event::NotUp(who, why) if who == instance && task.brings_up() => self.lost(instance, why),
            Event::Refused(who, why) if who == instance => {
                self.begun.retain(|begun| *begun != task);
                self.mark(instance, Progress::Waiting);
                self.fail(Failure::of(instance, why));
            }
            Event::Down(who) if who == instance && !task.brings_up() => {
                self.alive.remove(&instance);
                self.mark(instance, Progress::Done);
            }
            _ => return false,
        }
        true
    }

    fn note_up(&mut self, instance: Instance, run: String) {
        self.alive.insert(instance, true);
        self.mark(instance, Progress::Done);
        match self.parts.get_mut(&instance) {
            Some(part) => part.new = Some(run),
            None => self.surge_run = Some(run),
        }
    }

    /// What is being replaced anyway, or was never brought up here, is no news.
    fn note_death(&mut self, instance: Instance, why: String) {
        let replaced = matches!(self.phase, Phase::Running(task) if task.instance() == instance);
        if !replaced && self.alive.contains_key(&instance) {
            self.lost(instance, why);
        }
    }

    /// An instance is not up: a failure, unless it was down before and another one that is up has proven the new state.
    fn lost(&mut self, instance: Instance, why: String) {
        self.alive.insert(instance, false);
        self.mark(instance, Progress::Failed);
        if self.returning.is_some() {
            self.lost_on_the_way_back(instance, why);
        } else if !(self.is_proven_still() && self.request.ailing.contains(&instance)) {
            self.fail(Failure::of(instance, why));
        }
    }

    fn is_proven_still(&self) -> bool {
        self.proven && self.alive.values().any(|up| *up)
    }

    fn fail(&mut self, failure: Failure) {
        self.cause.get_or_insert(Cause::Failed(failure));
    }
}
