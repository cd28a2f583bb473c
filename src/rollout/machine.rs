//! The rollout itself: what is known of every instance it touched, and what an event means. The way forward is in
//! [`super::forward`], the way back in [`super::back`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Event, Failure, Outcome, Request, Step, Task};
use crate::spec::Instance;

/// Why the way forward ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    Failed(Failure),
    Interrupted,
    Aborted,
}

/// What happens to be going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Fresh,
    Staging,
    Settling,
    Committing,
    Running(Task),
    Baking { canary: bool },
    Undoing,
    Ended,
}

impl Phase {
    /// Nothing is under way that would have to come to its end first.
    fn only_watches(self) -> bool {
        matches!(self, Self::Settling | Self::Baking { .. })
    }
}

/// How far the switch is, in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switched {
    No,
    Staged,
    Committed,
}

/// What an interrupted rollout had done already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Tasks it had begun, in this order. Without the surge.
    pub begun: Vec<Task>,
    /// Instances it had brought up, the surge among them, and whether they are up now.
    pub alive: BTreeMap<Instance, bool>,
    /// Whether it had put the new state in place, or begun to.
    pub staged: bool,
}

/// One rollout, from its first event to its outcome.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that happened")]
pub struct Rollout {
    pub(super) request: Request,
    pub(super) phase: Phase,
    /// Not begun yet.
    pub(super) ahead: VecDeque<Task>,
    /// How many of those ahead are canaries; `None` once all may follow.
    pub(super) canaries: Option<usize>,
    pub(super) baked: bool,
    /// Begun, in this order, whatever became of them. Without the surge.
    pub(super) begun: Vec<Task>,
    /// Instances brought up by this rollout, the surge among them, and whether they still are.
    pub(super) alive: BTreeMap<Instance, bool>,
    /// Whether the new state was put in place, or may have been by whoever was interrupted.
    pub(super) touched: bool,
    pub(super) switched: Switched,
    pub(super) proven: bool,
    pub(super) interrupted: bool,
    pub(super) cause: Option<Cause>,
    /// What is left of the way back, once it is taken.
    pub(super) returning: Option<Vec<Task>>,
    /// Instances that were asked to go back.
    pub(super) returned: BTreeSet<Instance>,
    pub(super) no_way_back: Option<String>,
}

impl Rollout {
    /// A rollout that has not begun; its first event is [`Event::Begin`].
    pub fn new(request: Request) -> Self {
        Self::resumed(request, Past::default())
    }

    /// The rest of a rollout that was interrupted; `request` holds only what is left to do. The new state is put in place
    /// and has to prove itself once more: nobody knows how far that had come.
    pub fn resumed(request: Request, past: Past) -> Self {
        Self {
            ahead: request.tasks.iter().copied().collect(),
            canaries: request.canary.map(|canary| canary.count),
            baked: request.bake.is_zero(),
            request,
            phase: Phase::Fresh,
            begun: past.begun,
            alive: past.alive,
            touched: past.staged,
            switched: Switched::No,
            proven: false,
            interrupted: false,
            cause: None,
            returning: None,
            returned: BTreeSet::new(),
            no_way_back: None,
        }
    }

    /// Takes what happened, answers with what to do next. An event that answers nothing asked changes nothing.
    pub fn step(&mut self, event: Event) -> Step {
        if self.note(event) { self.next() } else { Step::Continue }
    }

    /// Remembers what happened; whether that ends the current phase.
    fn note(&mut self, event: Event) -> bool {
        match (self.phase, event) {
            (Phase::Ended, _) => false,
            (Phase::Fresh, Event::Begin) => true,
            (Phase::Fresh, Event::Abort) => {
                self.cause = Some(Cause::Aborted);
                true
            }
            (phase, Event::Interrupted) => {
                self.interrupted = true;
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
            Event::Up(who) if who == instance && task.brings_up() => {
                self.alive.insert(instance, true);
                true
            }
            Event::NotUp(who, why) if who == instance && task.brings_up() => {
                self.lost(instance, why);
                true
            }
            Event::Refused(who, why) if who == instance => {
                self.begun.retain(|begun| *begun != task);
                self.fail(Failure::of(instance, why));
                true
            }
            Event::Down(who) if who == instance && !task.brings_up() => {
                self.alive.remove(&instance);
                true
            }
            _ => false,
        }
    }

    /// What is being replaced anyway, or was never brought up here, is no news.
    fn note_death(&mut self, instance: Instance, why: String) {
        let replaced = matches!(self.phase, Phase::Running(task) if task.instance() == instance);
        if !replaced && self.alive.contains_key(&instance) {
            self.lost(instance, why);
        }
    }

    /// An instance is not up: a failure, unless it was down before and others have proven the new state.
    fn lost(&mut self, instance: Instance, why: String) {
        self.alive.insert(instance, false);
        if self.returning.is_some() {
            self.lost_on_the_way_back(instance, why);
        } else if !(self.proven && self.request.ailing.contains(&instance)) {
            self.fail(Failure::of(instance, why));
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.cause.get_or_insert(Cause::Failed(failure));
    }

    fn next(&mut self) -> Step {
        // Everything is done by then, and is only watched no longer.
        if self.interrupted && self.phase == (Phase::Baking { canary: false }) {
            self.baked = true;
        } else if self.interrupted && self.cause.is_none() {
            self.cause = Some(Cause::Interrupted);
        }
        if self.cause.is_some() {
            self.back()
        } else {
            self.forward()
        }
    }

    /// Instances this rollout touched that are not up, the surge not counted.
    pub(super) fn down(&self) -> impl Iterator<Item = Instance> {
        let down = self.alive.iter().filter(|(who, up)| !**up && **who != Instance::Surge);
        down.map(|(who, _)| *who)
    }

    pub(super) fn run(&mut self, task: Task) -> Step {
        self.go(Phase::Running(task), Step::Run(task))
    }

    pub(super) fn go(&mut self, phase: Phase, step: Step) -> Step {
        self.phase = phase;
        step
    }

    pub(super) fn finish(&mut self, outcome: Outcome) -> Step {
        self.go(Phase::Ended, Step::Finish(outcome))
    }
}
