//! A machine whose instances fail and die by dice, and the judge of what a rollout does to it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Event, Outcome, Request, Seen, Step, Task};
use super::up;
use crate::spec::Instance::{self, Number, Surge};

/// A machine with instances on the old or the new state, and dice.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that happened")]
pub(super) struct World {
    before: u16,
    after: u16,
    /// Up or not, and on the new state or not.
    pub(super) instances: BTreeMap<Instance, (bool, bool)>,
    new: bool,
    ailing: BTreeSet<Instance>,
    touched: BTreeSet<Instance>,
    begun: Vec<Task>,
    pub(super) dice: Vec<u8>,
    proven: bool,
    /// The canaries were.
    watched: bool,
    stuck: bool,
    failed: bool,
    left: bool,
    /// The new state is final: what starts by itself starts on it.
    committed: bool,
    /// Whether a state is known from outside, as a release is.
    told: bool,
}

impl World {
    fn roll(&mut self, one_in: u8) -> bool {
        let die = self.dice.pop().unwrap_or(u8::MAX);
        die < u8::MAX / one_in
    }

    fn ready(&self) -> usize {
        self.instances.values().filter(|(up, _)| *up).count()
    }

    fn is_up(&self, instance: Instance) -> bool {
        self.instances.get(&instance).is_some_and(|(up, _)| *up)
    }

    /// What the planner may not do, whatever happened before.
    pub(super) fn judge(&self, step: &Step, request: &Request) {
        if self.failed {
            let fine = match step {
                Step::Undo | Step::Finish(_) | Step::Run(Task::Stop(Surge)) => true,
                Step::Run(Task::Restart(Surge)) => !self.begun.is_empty() && request.switch.undo,
                Step::Run(task) => request.switch.undo && self.begun.contains(&task.reverse()),
                _ => false,
            };
            assert!(fine, "{step:?} after a failure");
        }
        assert!(*step != Step::Commit || self.proven, "final before it was proven");
        self.judge_canaries(step, request);
        let Step::Run(task) = step else { return };
        if self.is_up(task.instance()) {
            let ailing = self.ailing.iter().filter(|who| !self.is_up(**who)).count();
            let spared =
                usize::from(!request.has_surge() && request.tasks.iter().any(|t| matches!(t, Task::Restart(_))));
            let least = usize::from(self.before.min(self.after));
            assert!(
                self.ready() - 1 + spared + ailing >= least,
                "{task} leaves too few: {self:?}"
            );
        } else if task.brings_up() {
            let most = usize::from(self.before.max(self.after));
            assert!(self.ready() <= most, "{task} makes too many: {self:?}");
        }
    }

    /// Nothing is final before the canaries were watched, and no more than these are new.
    fn judge_canaries(&self, step: &Step, request: &Request) {
        let Some(canary) = request.canary.filter(|_| !self.watched && !self.failed) else {
            return;
        };
        assert!(*step != Step::Commit, "final before the canaries were watched");
        let new = self.begun.len() + usize::from(matches!(step, Step::Run(task) if task.instance() != Surge));
        assert!(new <= canary.count, "{new} canaries");
    }

    /// What is on the way forward, whatever becomes of it.
    pub(super) fn remember(&mut self, step: &Step) {
        if let Step::Run(task) = step
            && task.instance() != Surge
            && !self.failed
        {
            self.begun.push(*task);
        }
    }

    /// Takes a step; the event it leads to, in order.
    pub(super) fn take(&mut self, step: &Step) -> Event {
        match step {
            Step::Stage | Step::Commit if self.roll(12) => {
                self.failed = true;
                Event::NotSwitched("boom".to_owned())
            }
            Step::Stage => {
                self.new = true;
                Event::Switched
            }
            Step::Commit => {
                self.committed = true;
                Event::Switched
            }
            Step::Undo if self.roll(12) => {
                self.stuck = true;
                Event::NotUndone("boom".to_owned())
            }
            Step::Undo => {
                self.new = false;
                self.committed = false;
                Event::Undone
            }
            Step::Settle(_) => {
                self.proven = true;
                Event::Settled
            }
            Step::Bake { canary, .. } => {
                self.watched |= canary;
                Event::Baked
            }
            Step::Run(task) => self.run(*task),
            Step::Continue | Step::Finish(_) => unreachable!("nothing to take"),
        }
    }

    fn run(&mut self, task: Task) -> Event {
        let who = task.instance();
        self.touched.insert(who);
        if !task.brings_up() {
            self.instances.remove(&who);
            return Event::Down(who);
        }
        let fails = self.roll(8);
        self.instances.insert(who, (!fails, self.new));
        if fails {
            self.failed |= !(self.ailing.contains(&who) && self.proven);
            return Event::NotUp(who, "boom".to_owned());
        }
        up(who)
    }

    /// Perhaps something that nobody asked for, while a step runs.
    pub(super) fn mishap(&mut self, step: &Step) -> Option<Event> {
        if self.roll(16) {
            self.left = true;
            return Some(Event::Interrupted);
        }
        let busy = match step {
            Step::Run(task) => Some(task.instance()),
            _ => None,
        };
        let mut candidates = self.instances.iter().filter(|(who, (up, _))| {
            *up && self.touched.contains(who) && Some(**who) != busy && !self.ailing.contains(who)
        });
        let victim = *candidates.next_back()?.0;
        if !self.roll(12) {
            return None;
        }
        self.instances.entry(victim).and_modify(|state| state.0 = false);
        self.failed = true;
        Some(Event::Died(victim, "boom".to_owned()))
    }

    pub(super) fn seen(&self) -> BTreeMap<Instance, Seen> {
        let seen = |(up, new): &(bool, bool), who: &Instance| Seen {
            up: *up,
            new: self.told.then_some(*new),
            invocation: Some(if self.touched.contains(who) { "new" } else { "old" }.to_owned()),
        };
        self.instances
            .iter()
            .map(|(who, state)| (*who, seen(state, who)))
            .collect()
    }

    /// The machine lost its power: everything starts again by itself, on what is final.
    pub(super) fn starts_anew(&mut self) {
        let all: Vec<Instance> = (1..=self.before).map(Number).collect();
        self.instances = all.iter().map(|who| (*who, (true, self.committed))).collect();
        self.touched.extend(all);
    }

    /// All of `count` instances and no other are up, on the new state or the old.
    pub(super) fn assert_all(&self, count: u16, new: bool) {
        let want: Vec<Instance> = (1..=count).map(Number).collect();
        let have: Vec<Instance> = self.instances.keys().copied().collect();
        assert_eq!(have, want, "{self:?}");
        let fine = self.instances.values().all(|state| *state == (true, new));
        assert!(
            fine,
            "not all are up on the {} state: {self:?}",
            if new { "new" } else { "old" }
        );
    }

    pub(super) fn judge_end(&self, outcome: &Outcome) {
        let all = |count: u16, new: bool| {
            let want = (1..=count).map(Number).filter(|who| !self.ailing.contains(who));
            for who in want {
                let state = self.instances.get(&who);
                assert!(
                    state.is_some_and(|state| state.0),
                    "{outcome:?} with {who} down: {self:?}"
                );
                if self.begun.iter().any(|task| task.instance() == who) {
                    assert_eq!(state.map(|state| state.1), Some(new), "{outcome:?}: {self:?}");
                }
            }
            assert!(
                !self.instances.contains_key(&Surge),
                "{outcome:?} with a surge: {self:?}"
            );
            let numbers = self.instances.keys().filter(|who| matches!(who, Number(_)));
            assert_eq!(numbers.count(), usize::from(count), "{outcome:?}: {self:?}");
        };
        match outcome {
            Outcome::Done { .. } => all(self.after, self.new),
            Outcome::Kept(_) | Outcome::Interrupted { clean: true } => {
                assert!(self.begun.is_empty(), "{outcome:?}: {self:?}");
                all(self.before, self.new);
            }
            Outcome::WentBack(_) => {
                assert!(!self.new);
                all(self.before, false);
            }
            Outcome::Stopped { stands_in, .. } => assert_eq!(*stands_in, self.is_up(Surge), "{self:?}"),
            Outcome::Interrupted { clean: false } => assert!(self.left && (self.stuck || !self.begun.is_empty())),
            Outcome::Aborted { .. } => panic!("nobody asked for that"),
        }
    }
}

pub(super) fn world(request: &Request, before: u16, after: u16, dice: Vec<u8>) -> World {
    let ailing: BTreeSet<_> = request.ailing.iter().copied().collect();
    let instances = (1..=before)
        .map(Number)
        .map(|who| (who, (!ailing.contains(&who), false)));
    World {
        before,
        after,
        instances: instances.collect(),
        new: false,
        ailing,
        touched: BTreeSet::new(),
        begun: Vec::new(),
        dice,
        proven: false,
        watched: false,
        stuck: false,
        failed: false,
        left: false,
        committed: false,
        told: request.switch.commit,
    }
}
