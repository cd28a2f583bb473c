//! Plays rollouts: one process after the other, each as long as it lives, until the rollout is over.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::case::{Case, NEW, Quality, id, spec};
use super::dice::Dice;
use super::machine::{Machine, Rates};
use super::world::{Fake, Person};
use crate::drive::{self, Ended, Wish};
use crate::rollout::{Driver, Event, Outcome, Record, State, Verb};
use crate::spec::Instance;

/// How a process fares.
#[derive(Debug, Clone, Default)]
pub(super) struct Luck {
    pub(super) rates: Rates,
    /// Effects until it is killed; twice, since it can be before and after each.
    pub(super) fuse: Option<u64>,
    pub(super) wishes: Vec<(u64, Wish)>,
    /// Whether the machine goes down with it.
    pub(super) power: bool,
    /// Whether it takes the rollout back, if it is not the first.
    pub(super) abort: bool,
}

/// Runs a process until it ends or is killed.
fn run<T>(fake: &Fake, process: impl Future<Output = T>) -> Option<T> {
    let mut process = pin!(process);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let polled = process.as_mut().poll(&mut context);
        let mut machine = fake.machine();
        match polled {
            _ if machine.killed => return None,
            Poll::Ready(ended) => return Some(ended),
            Poll::Pending => machine.advance(),
        }
    }
}

fn driver() -> Driver {
    Driver {
        user: "ann".to_owned(),
        pid: 4711,
        pid_began: 1,
    }
}

/// One rollout and everything that happens to it.
#[derive(Debug)]
pub(super) struct Story {
    fake: Fake,
    case: Case,
    /// Whether anything but the code itself was ever at fault.
    clean: bool,
    calm: bool,
    /// It could neither go on nor back, and said so.
    stuck: bool,
}

impl Story {
    pub(super) fn of(case: &Case, seed: u64) -> Self {
        Self {
            fake: Fake(Machine::of(case, seed).into()),
            case: case.clone(),
            clean: true,
            calm: false,
            stuck: false,
        }
    }

    /// The first process.
    pub(super) fn begin(&mut self, luck: &Luck) -> Option<Ended> {
        self.set(luck);
        let order = self.case.order();
        let mut person = Person(&self.fake);
        let ended = run(&self.fake, drive::begin(&self.fake, &mut person, order, driver()));
        self.judge(luck, ended)
    }

    /// The next one, if there is anything left to do.
    pub(super) fn go_on(&mut self, luck: &Luck) -> Option<Ended> {
        let mut record = self.open()?;
        let abort = luck.abort || record.rollout.state() == State::Stopped;
        let mut machine = self.fake.machine();
        machine.note(if abort { "abort" } else { "resume" });
        machine.judge.hand_over(Some(&record), abort);
        drop(machine);
        self.set(luck);
        record.hand_over(driver());
        let mut person = Person(&self.fake);
        let begin = if abort { Event::Abort } else { Event::Begin };
        let spec = spec();
        let app = (&spec, self.case.after.max(self.case.before));
        let ended = run(&self.fake, drive::reopen(&self.fake, &mut person, record, app, begin));
        self.judge(luck, ended)
    }

    /// The record, while there is something to do.
    pub(super) fn open(&self) -> Option<Record> {
        let record = self.fake.machine().record()?;
        record.rollout.state().is_open().then_some(record)
    }

    /// From now on all is well, but for code that is bad.
    pub(super) fn calm(&mut self) {
        self.calm = true;
        let mut machine = self.fake.machine();
        let (old, new) = self.case.code();
        machine.fleet.quality.entry(old).and_modify(|old| *old = Quality::Good);
        let new = machine.fleet.quality.entry(new);
        new.and_modify(|new| {
            if *new == Quality::Flaky {
                *new = Quality::Good;
            }
        });
        machine.rates = Rates::default();
    }

    fn set(&mut self, luck: &Luck) {
        let mut machine = self.fake.machine();
        let now = machine.fleet.now;
        (machine.rates, machine.fuse, machine.killed) = (luck.rates, luck.fuse, false);
        machine.wishes = luck.wishes.iter().map(|(at, wish)| (now + at, *wish)).collect();
        self.clean &= luck.rates.disk + luck.rates.hook == 0;
    }

    /// What a process left behind.
    fn judge(&mut self, luck: &Luck, ended: Option<anyhow::Result<Ended>>) -> Option<Ended> {
        let mut machine = self.fake.machine();
        let ended = match ended {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                machine.note(format!("ends: {error:#}"));
                return None;
            }
            None => {
                if luck.power && self.case.is_release() {
                    machine.cut_power();
                }
                let pause = machine.fleet.dice.pick(&[0, 5, 50, 2000]);
                let until = machine.fleet.now + pause;
                machine.pass(until);
                return None;
            }
        };
        machine.note(format!("{:?}", ended.outcome));
        let record = machine.record();
        let told = record.is_some_and(|record| {
            record.about.ended.is_some()
                && record.about.message.as_ref() == Some(&ended.sentence)
                && record.rollout.state() == state_of(&ended.outcome)
        });
        machine.check(told, || "the record does not say how it ended".to_owned());
        judge_outcome(&machine, &ended.outcome);
        self.stuck = matches!(
            &ended.outcome,
            Outcome::Aborted {
                no_way_back: Some(_),
                ..
            }
        );
        machine.check(!(self.stuck && self.calm), || "there was a way back".to_owned());
        let failed = match &ended.outcome {
            Outcome::Kept(failure) | Outcome::WentBack(failure) => failure.instance.is_some(),
            _ => false,
        };
        if self.case.is_release() && failed && self.clean {
            machine.check(machine.files.bad.contains(&id(NEW)), || {
                "the release is not marked".to_owned()
            });
        }
        Some(ended)
    }

    /// All is over: everything is on the new state, or on the old one, and stays so.
    pub(super) fn judge_rest(&self) {
        let mut machine = self.fake.machine();
        let state = machine.record().map(|record| record.rollout.state());
        let new = state == Some(State::Done);
        let back = matches!(state, Some(State::Kept | State::WentBack | State::Aborted));
        // Only processes were replaced: half of them is a fine end, and nothing else can be had where none comes up.
        let half = self.case.verb == Verb::RollingRestart && state.is_some_and(State::is_open);
        machine.check(new || back || half || state.is_none(), || {
            format!("it ends as {state:?}")
        });
        let bad = self.case.new != Quality::Good && self.case.new != Quality::Flaky;
        if self.case.is_release() && self.case.new == Quality::NeverUp {
            machine.check(!new, || "a release that never comes up is live".to_owned());
        }
        if self.case.verb == Verb::RollingRestart || (bad && new) || self.stuck {
            return;
        }
        let until = machine.fleet.now + 10_000;
        machine.pass(until);
        let (count, (before, after)) = (if new { self.case.after } else { self.case.before }, self.case.code());
        machine.check(machine.in_force(new), || "something else is in force".to_owned());
        for who in (1..=count).map(Instance::Number) {
            let unit = machine.fleet.unit(who).clone();
            let (ailing, stays) = (
                self.case.ailing.contains(&who),
                self.case.verb == Verb::Scale && !unit.touched,
            );
            machine.check(unit.is_up() || ailing, || format!("{who} is down for good"));
            let code = if new { after } else { before };
            let fine = unit.code == code || ailing || stays || !unit.touched;
            machine.check(fine, || format!("{who} runs {} for good", unit.code));
        }
    }

    /// How many effects it took.
    pub(super) fn effects(&self) -> u64 {
        self.fake.machine().effects
    }
}

fn state_of(outcome: &Outcome) -> State {
    match outcome {
        Outcome::Done { .. } => State::Done,
        Outcome::Kept(_) | Outcome::Interrupted { clean: true } => State::Kept,
        Outcome::WentBack(_) => State::WentBack,
        Outcome::Stopped { .. } => State::Stopped,
        Outcome::Interrupted { clean: false } => State::Interrupted,
        Outcome::Aborted { .. } => State::Aborted,
    }
}

fn judge_outcome(machine: &Machine, outcome: &Outcome) {
    match outcome {
        Outcome::Done { still_down } => machine.judge_all(true, still_down),
        Outcome::Kept(_)
        | Outcome::WentBack(_)
        | Outcome::Interrupted { clean: true }
        | Outcome::Aborted { went_back: true, .. } => machine.judge_all(false, &[]),
        Outcome::Stopped { .. } | Outcome::Interrupted { .. } | Outcome::Aborted { .. } => {}
    }
}

/// A story of chance, told to its end.
pub(super) fn chance(seed: u64) {
    let mut dice = Dice::of(seed ^ 0x5eed);
    let case = Case::any(&mut dice);
    let mut story = Story::of(&case, seed);
    let mut over = story.begin(&luck(&mut dice)).is_some();
    for _ in 0..dice.below(3) {
        over = story.go_on(&luck(&mut dice)).is_some() || over;
    }
    story.calm();
    for _ in 0..4 {
        let abort = dice.chance(500);
        story.go_on(&Luck {
            abort,
            ..Luck::default()
        });
    }
    story.judge_rest();
}

fn luck(dice: &mut Dice) -> Luck {
    let rates = Rates {
        death: dice.pick(&[0, 0, 10, 40]),
        disk: dice.pick(&[0, 0, 0, 20]),
        lost: dice.pick(&[0, 0, 10]),
        hollow: dice.pick(&[0, 0, 60]),
        hook: dice.pick(&[0, 0, 50]),
    };
    let wish = dice.chance(250).then(|| {
        let wish = dice.pick(&[Wish::Leave, Wish::Promote, Wish::TakeBack]);
        (dice.below(1500), wish)
    });
    Luck {
        rates,
        fuse: dice.chance(500).then(|| dice.below(150)),
        wishes: wish.into_iter().collect(),
        power: dice.chance(200),
        abort: dice.chance(400),
    }
}
