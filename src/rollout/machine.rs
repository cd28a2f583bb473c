//! The rollout itself: what is known of every instance it touched, and the step that follows from it. This is what runs
//! and what is on disk: whatever it knows goes through a file and comes back. What an event means is in [`super::note`],
//! the way forward in [`super::forward`], the way back in [`super::back`], the rest of an interrupted one in
//! [`super::rest`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::part::{Part, Progress};
use super::phase::{Cause, Phase, State, Switched, Watching};
use super::{Event, Outcome, Request, Step, Task, Verb};
use crate::spec::Instance;

/// One rollout, from its first event to its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that happened")]
pub struct Rollout {
    /// What it was asked to do; never changes.
    pub(super) request: Request,
    pub(super) state: State,
    pub(super) phase: Phase,
    /// How far each of the instances with a task is.
    pub(super) parts: BTreeMap<Instance, Part>,
    /// The surge instance's invocation id, once it was up.
    pub(super) surge_run: Option<String>,
    /// Not begun yet.
    pub(super) ahead: VecDeque<Task>,
    /// How many of those ahead are canaries; `None` once all may follow.
    pub(super) canaries: Option<usize>,
    /// Whether the release of the canaries was made final, or there are none: until then a resumed rollout watches them
    /// once more.
    pub(super) promoted: bool,
    pub(super) baked: bool,
    /// Whether the operator left while all of it was watched.
    pub(super) unwatched: bool,
    /// Begun, in this order, whatever became of them. Without the surge.
    pub(super) begun: Vec<Task>,
    /// Instances brought up by this rollout, the surge among them, and whether they still are.
    pub(super) alive: BTreeMap<Instance, bool>,
    /// Whether the new state was put in place, or may have been.
    pub(super) staged: bool,
    pub(super) switched: Switched,
    pub(super) proven: bool,
    pub(super) interrupted: bool,
    pub(super) cause: Option<Cause>,
    /// Whether it has ever turned round: then it can only be taken back.
    pub(super) going_back: bool,
    /// What is left of the way back, once it is taken.
    pub(super) returning: Option<Vec<Task>>,
    /// Instances that were asked to go back.
    pub(super) returned: BTreeSet<Instance>,
    pub(super) no_way_back: Option<String>,
}

impl Rollout {
    /// A rollout that has not begun; its first event is [`Event::Begin`].
    pub fn new(request: Request) -> Self {
        let part = |task: &Task| (task.instance(), Part::default());
        Self {
            state: State::Running,
            phase: Phase::Fresh,
            parts: request.tasks.iter().map(part).collect(),
            surge_run: None,
            ahead: request.tasks.iter().copied().collect(),
            canaries: request.canary.map(|canary| canary.count),
            promoted: request.canary.is_none(),
            baked: request.bake.is_zero(),
            unwatched: false,
            request,
            begun: Vec::new(),
            alive: BTreeMap::new(),
            staged: false,
            switched: Switched::No,
            proven: false,
            interrupted: false,
            cause: None,
            going_back: false,
            returning: None,
            returned: BTreeSet::new(),
            no_way_back: None,
        }
    }

    /// The same, with the invocation ids of the instances before it: a later process tells by them what was replaced.
    #[must_use]
    pub fn replacing(mut self, mut runs: BTreeMap<Instance, String>) -> Self {
        for (instance, part) in &mut self.parts {
            part.old = runs.remove(instance);
        }
        self
    }

    /// Takes what happened, answers with what to do next. An event that answers nothing asked changes nothing.
    pub fn step(&mut self, event: Event) -> Step {
        if self.note(event) { self.next() } else { Step::Continue }
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
        self.mark(task.instance(), Progress::Running);
        self.go(Phase::Running(task))
    }

    pub(super) fn mark(&mut self, instance: Instance, progress: Progress) {
        if let Some(part) = self.parts.get_mut(&instance) {
            part.progress = progress;
        }
    }

    pub(super) fn go(&mut self, phase: Phase) -> Step {
        self.phase = phase;
        self.last_step().unwrap_or(Step::Continue)
    }

    pub(super) fn finish(&mut self, outcome: Outcome) -> Step {
        self.state = State::of(&outcome);
        Step::Finish(outcome)
    }

    /// The step it is at, or was at last; `None` before the first.
    pub fn last_step(&self) -> Option<Step> {
        Some(match self.phase {
            Phase::Fresh => return None,
            Phase::Staging => Step::Stage,
            Phase::Settling => Step::Settle(self.request.policy.settle),
            Phase::Committing => Step::Commit,
            Phase::Running(task) => Step::Run(task),
            Phase::Baking { canary } => Step::Bake {
                time: self.request.watch_time(canary),
                canary,
            },
            Phase::Undoing => Step::Undo,
        })
    }

    /// That step, for people; empty before the first.
    pub fn step_name(&self) -> String {
        self.last_step().map(|step| step.to_string()).unwrap_or_default()
    }

    /// What it was asked to do.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The verb that began it.
    pub fn verb(&self) -> Verb {
        self.request.verb
    }

    /// The instances that have a task in it, in its order.
    pub fn instances(&self) -> impl Iterator<Item = Instance> {
        self.request.tasks.iter().map(|task| task.instance())
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// What is being watched for a while, or was when it ended.
    pub fn watching(&self) -> Option<Watching> {
        match self.phase {
            Phase::Baking { canary: true } => Some(Watching::Canaries),
            Phase::Baking { canary: false } => Some(Watching::All),
            _ => None,
        }
    }

    /// Whether it is on its way back.
    pub fn is_going_back(&self) -> bool {
        self.going_back
    }

    /// Whether the others may follow the canaries without a further watch.
    pub fn is_promoted(&self) -> bool {
        self.promoted
    }

    /// Lets the others follow the canaries of a rollout that was left.
    pub fn promote(&mut self) {
        self.promoted = true;
    }

    /// Whether the operator left while all of it was watched.
    pub fn is_unwatched(&self) -> bool {
        self.unwatched
    }

    /// Whether it has brought the instance up and has not heard of its end.
    pub fn is_up(&self, instance: Instance) -> bool {
        self.alive.get(&instance) == Some(&true)
    }
}
