//! What must be true at every step of every rollout, and at its end.

use std::collections::{BTreeMap, BTreeSet};

use super::case::NEW;
use super::fleet::Stage;
use super::machine::Machine;
use crate::rollout::{Record, State, Step, Task, Verb};
use crate::spec::Instance;

/// What the process that drives a rollout has been told, whatever it made of it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that happened")]
pub(super) struct Judge {
    /// When it last saw each instance.
    looked: BTreeMap<Instance, u64>,
    /// The same when its last step began.
    known: BTreeMap<Instance, u64>,
    /// The last record.
    saved: Option<Record>,
    /// The runs that it was told are up.
    up: BTreeMap<Instance, String>,
    /// Those that it was told are lost: it may replace them first, even if they are up again by themselves.
    lost: BTreeSet<Instance>,
    /// It was told of a failure, or that the operator leaves.
    pub(super) failed: Option<String>,
    /// The operator has seen enough of the canaries, perhaps in an earlier process.
    promoted: bool,
    pub(super) aborting: bool,
    /// Its first step is on disk.
    began: bool,
    /// The rollout has turned round once.
    turned: bool,
}

impl Judge {
    /// Another process goes on.
    pub(super) fn hand_over(&mut self, record: Option<&Record>, aborting: bool) {
        *self = Self {
            turned: self.turned,
            saved: self.saved.take(),
            promoted: record.is_some_and(|record| record.rollout.is_promoted()),
            aborting,
            ..Self::default()
        };
    }

    pub(super) fn look(&mut self, who: Instance, now: u64) {
        self.looked.insert(who, now);
    }

    /// It looks at an instance: before its first step, what it finds is what it begins with. Later it looks for what
    /// instances have answered only.
    pub(super) fn found(&mut self, who: Instance, run: Option<String>, at: u64) {
        if self.began {
            return;
        }
        self.look(who, at);
        match run {
            Some(run) => self.came_up(who, run),
            None => drop(self.lost.insert(who)),
        }
    }

    pub(super) fn forget(&mut self, who: Instance) {
        self.up.remove(&who);
    }

    /// It was told that a run is up.
    pub(super) fn came_up(&mut self, who: Instance, run: String) {
        self.lost.remove(&who);
        self.up.insert(who, run);
    }

    pub(super) fn promote(&mut self) {
        self.promoted |= matches!(self.step(), Some(Step::Bake { canary: true, .. }));
    }

    pub(super) fn step(&self) -> Option<Step> {
        let record = self
            .saved
            .as_ref()
            .filter(|record| record.rollout.state() == State::Running);
        record.and_then(|record| record.rollout.last_step())
    }
}

impl Machine {
    /// It was told which run an instance is in.
    pub(super) fn told(&mut self, who: Instance, run: Option<&String>) {
        let known = self.judge.up.get(&who).cloned();
        if known.is_some_and(|known| Some(&known) != run) {
            self.judge.forget(who);
            self.told_of_failure(who, "it was told of a death");
        }
    }

    /// It was told of a failure; one that was down before may fail.
    pub(super) fn told_of_failure(&mut self, who: Instance, what: &str) {
        self.judge.lost.insert(who);
        if !self.case.ailing.contains(&who) {
            self.judge.failed.get_or_insert_with(|| format!("{what}: {who}"));
        }
    }

    /// A record is to be written.
    pub(super) fn judge_save(&mut self, record: &Record) {
        let rollout = &record.rollout;
        self.note(format!("save {:?}: {}", rollout.state(), rollout.step_name()));
        if let (State::Running, Some(step)) = (rollout.state(), rollout.last_step()) {
            let back = rollout.is_going_back();
            let fine = match step {
                Step::Undo | Step::Run(Task::Stop(Instance::Surge)) => true,
                Step::Run(_) => back,
                _ => false,
            };
            if let Some(failed) = &self.judge.failed {
                self.check(fine, || format!("{step:?}, although {failed}"));
            }
            self.check(!self.judge.turned || (fine && back), || {
                format!("{step:?} after it turned round")
            });
            self.judge.turned |= back;
        }
        self.judge.began = true;
        self.judge.known = self.judge.looked.clone();
        self.judge.saved = Some(record.clone());
    }

    /// Something is to be done that only these steps may do.
    pub(super) fn expect_step(&self, what: &str, fine: impl Fn(&Step) -> bool) {
        let step = self.judge.step();
        self.check(step.as_ref().is_some_and(fine), || {
            format!("{what} is not the step on disk, which is {step:?}")
        });
    }

    /// systemd is asked to stop or to replace an instance.
    pub(super) fn judge_request(&self, who: Instance, brings_up: bool) {
        self.expect_step(
            &format!("a job of {who}"),
            |step| matches!(step, Step::Run(task) if task.instance() == who && task.brings_up() == brings_up),
        );
        if !self.fleet.is_up(who) || self.judge.lost.contains(&who) {
            return;
        }
        let case = &self.case;
        let serves = |who: Instance| self.fleet.is_up(who) || self.is_excused(who);
        let regular = || (1..=case.before.max(case.after)).map(Instance::Number);
        let others = regular()
            .chain([Instance::Surge])
            .filter(|other| *other != who && serves(*other))
            .count();
        let excused = |other: &Instance| {
            let unit = self.fleet.units.get(other);
            let unseen = case.ailing.contains(other) || unit.is_some_and(|unit| !unit.touched);
            let may = brings_up || who != Instance::Surge || unseen || self.judge.aborting;
            unit.is_some_and(|unit| unit.lost.is_some()) && may
        };
        let lost = regular()
            .filter(|other| *other != who && !serves(*other))
            .filter(excused)
            .count();
        let request = case.request();
        let replaces = request.tasks.iter().any(|task| matches!(task, Task::Restart(_)));
        let spared = usize::from(!case.surge && replaces);
        let least = usize::from(case.before.min(case.after));
        self.check(others + lost + spared >= least, || {
            format!("a job of {who} leaves {others} of {least} that serve, and {lost} are lost")
        });
    }

    /// Whether it died after the driver had last seen it when its step began: no driver can know of that.
    fn is_excused(&self, who: Instance) -> bool {
        let lost = self.fleet.units.get(&who).and_then(|unit| unit.lost);
        lost.is_some_and(|lost| self.judge.known.get(&who).is_none_or(|seen| *seen <= lost) && lost > 0)
    }

    /// The new release is to be made the live one.
    pub(super) fn judge_commit(&self) {
        self.expect_step("to make it final", |step| *step == Step::Commit);
        let proven = |who: &Instance, time: u64| match self.fleet.units.get(who) {
            Some(unit) if unit.code == NEW => match unit.stage {
                // One that came up again while the step was under way had proven it before.
                Stage::Up { since, .. } => {
                    let again = self.judge.known.get(who).is_some_and(|seen| *seen < since);
                    since + time <= self.fleet.now || again
                }
                _ => self.is_excused(*who),
            },
            _ => false,
        };
        let any = self.fleet.units.keys().any(|who| proven(who, self.case.settle));
        self.check(any, || "it is made final, and nothing has proven it".to_owned());
        if let Some(count) = self.case.canaries.filter(|_| !self.judge.promoted) {
            let tasks = self.case.request().tasks;
            let canaries = tasks.iter().take(count).map(|task| task.instance());
            let mut others = canaries.filter(|who| !self.case.ailing.contains(who));
            self.check(others.all(|who| proven(&who, 200)), || {
                "the canaries were not watched".to_owned()
            });
        }
    }

    /// Everything is as it is to be after a rollout, or as it was before.
    pub(super) fn judge_all(&self, new: bool, still_down: &[Instance]) {
        let (before, after) = self.case.code();
        let (count, code) = if new {
            (self.case.after, after)
        } else {
            (self.case.before, before)
        };
        for (who, unit) in &self.fleet.units {
            let wanted = matches!(who, Instance::Number(number) if *number <= count);
            if !wanted {
                self.check(!unit.is_up(), || format!("{who} is still there"));
                continue;
            }
            let stays = !unit.touched && (!new || self.case.verb == Verb::Scale);
            let may_be_down = self.is_excused(*who)
                || still_down.contains(who)
                || (stays && unit.lost.is_some())
                || (!new && self.case.ailing.contains(who));
            self.check(unit.is_up() || may_be_down, || format!("{who} is not up"));
            self.check(!unit.is_up() || unit.code == code || stays, || {
                format!("{who} runs {}", unit.code)
            });
            let old = unit.run.is_some_and(|run| run <= u64::from(self.case.before));
            let replaced = new && self.case.verb != Verb::Scale;
            self.check(!(replaced && unit.is_up() && old), || format!("{who} was not replaced"));
        }
        self.check(self.in_force(new), || {
            format!(
                "in force is {:?} and {:?}, pins {:?}",
                self.files.live, self.files.applied, self.files.pins
            )
        });
    }
}
