//! The whole machine: instances, files, the process that may be killed, and bad luck.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, NEW, OLD, id};
use super::fleet::{Fleet, Stage, Unit};
use super::judge::Judge;
use crate::contract::{ShimState, ShimStatus};
use crate::drive::{Texts, Wish};
use crate::observe::{Activity, InstanceState, UnitState};
use crate::release::ReleaseId;
use crate::rollout::Record;
use crate::spec::Instance;

/// How often things go wrong, of a thousand times.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rates {
    /// An instance dies at an effect.
    pub(super) death: u64,
    /// A write fails.
    pub(super) disk: u64,
    /// An answer is lost.
    pub(super) lost: u64,
    /// systemd says that it is done when it is not, or not in time.
    pub(super) hollow: u64,
    /// A command of the operator's fails.
    pub(super) hook: u64,
}

/// Files; the last three are gone after a power cut.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub(super) record: Option<String>,
    pub(super) live: Option<ReleaseId>,
    pub(super) bad: BTreeSet<ReleaseId>,
    pub(super) applied: Option<String>,
    pub(super) wanted: Option<String>,
    pub(super) texts: Texts,
    pub(super) pins: BTreeMap<Instance, ReleaseId>,
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) seed: u64,
    pub(super) case: Case,
    pub(super) fleet: Fleet,
    pub(super) files: Files,
    /// The configuration that systemd has read.
    pub(super) loaded: String,
    pub(super) rates: Rates,
    /// Effects until the process is killed.
    pub(super) fuse: Option<u64>,
    pub(super) killed: bool,
    pub(super) effects: u64,
    /// What the operator wants, and when.
    pub(super) wishes: Vec<(u64, Wish)>,
    pub(super) timers: BTreeSet<u64>,
    pub(super) judge: Judge,
    pub(super) log: Vec<String>,
}

/// No rollout may take longer, in milliseconds.
const LONGEST: u64 = 20 * 60_000;

impl Machine {
    pub(super) fn of(case: &Case, seed: u64) -> Self {
        let (before, after) = case.code();
        let mut this = Self {
            seed,
            case: case.clone(),
            fleet: Fleet {
                now: 0,
                units: BTreeMap::new(),
                jobs: BTreeMap::new(),
                notices: Vec::new(),
                quality: BTreeMap::from([(before, case.old), (after, case.new)]),
                dice: super::dice::Dice::of(seed),
                count: 0,
            },
            files: Files {
                live: case.is_release().then(|| id(OLD)),
                applied: Some(before.to_owned()),
                wanted: Some(before.to_owned()),
                ..Files::default()
            },
            loaded: before.to_owned(),
            rates: Rates::default(),
            fuse: None,
            killed: false,
            effects: 0,
            wishes: Vec::new(),
            timers: BTreeSet::new(),
            judge: Judge::default(),
            log: Vec::new(),
        };
        for who in (1..=case.before).map(Instance::Number) {
            this.boot(who, !case.ailing.contains(&who));
        }
        this
    }

    /// An instance that was there before.
    fn boot(&mut self, who: Instance, up: bool) {
        self.fleet.count += 1;
        let unit = Unit {
            stage: if up {
                Stage::Up {
                    since: self.fleet.now,
                    dies: None,
                }
            } else {
                Stage::Down
            },
            run: Some(self.fleet.count),
            code: self.code(who),
            lost: (!up).then_some(self.fleet.now),
            ..Unit::absent()
        };
        self.fleet.units.insert(who, unit);
    }

    /// What an instance runs that starts now.
    pub(super) fn code(&self, who: Instance) -> String {
        let release = self.files.pins.get(&who).or(self.files.live.as_ref());
        release.map_or_else(|| self.loaded.clone(), ToString::to_string)
    }

    pub(super) fn queue(&mut self, who: Instance, again: bool) -> u64 {
        let code = self.code(who);
        self.note(format!("{} {who}", if again { "restart" } else { "stop" }));
        self.fleet.queue(who, again, &code)
    }

    /// The power is cut: everything starts on what is live, and only durable files are left.
    pub(super) fn cut_power(&mut self) {
        self.note("power cut");
        (self.files.pins, self.files.texts) = (BTreeMap::new(), Texts::default());
        self.fleet.units.clear();
        for who in (1..=self.case.before).map(Instance::Number) {
            self.boot(who, true);
        }
    }

    /// Lets time pass to the next moment at which anything can happen.
    pub(super) fn advance(&mut self) {
        let now = self.fleet.now;
        let notices = self.fleet.notices.iter().map(|(at, _)| *at);
        let wishes = self.wishes.iter().map(|(at, _)| *at);
        let others = notices.chain(wishes).chain(self.timers.iter().copied());
        let next = others.filter(|at| *at > now).chain(self.fleet.next()).min();
        let Some(next) = next else {
            self.fail("nothing will ever happen");
        };
        if next > LONGEST {
            self.fail("there is no end in sight");
        }
        self.pass(next.max(now));
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, until: u64) {
        while let Some(next) = self.fleet.next().filter(|next| *next <= until) {
            self.fleet.now = next.max(self.fleet.now);
            let due: Vec<Instance> = self.fleet.units.keys().copied().collect();
            for who in due {
                if self.fleet.next_of(who).is_some_and(|at| at <= self.fleet.now) {
                    let code = self.code(who);
                    self.fleet.turn(who, &code);
                    let Unit { stage, code, .. } = self.fleet.unit(who).clone();
                    self.note(format!("  {who} is {stage:?} on {code}"));
                }
            }
        }
        self.fleet.now = until;
        self.timers.retain(|at| *at > until);
    }

    /// Whether the process is dead by now. Each effect asks before it and after it.
    pub(super) fn burns(&mut self) -> bool {
        self.effects += 1;
        match &mut self.fuse {
            _ if self.killed => {}
            Some(0) => {
                self.killed = true;
                self.note("killed");
            }
            Some(left) => *left -= 1,
            None => {}
        }
        self.killed
    }

    /// Perhaps an instance dies.
    pub(super) fn mishap(&mut self) {
        if !self.fleet.dice.chance(self.rates.death) {
            return;
        }
        let up: Vec<Instance> = self
            .fleet
            .units
            .iter()
            .filter(|(_, unit)| unit.is_up())
            .map(|(who, _)| *who)
            .collect();
        if !up.is_empty() {
            let who = self.fleet.dice.pick(&up);
            self.note(format!("  {who} dies"));
            self.fleet.crash(who);
        }
    }

    /// What systemd knows of an instance.
    pub(super) fn state(&mut self, who: Instance) -> InstanceState {
        let name = format!("app@{who}.service");
        let releases = self.case.is_release();
        let unit = self.fleet.unit(who);
        let (activity, sub, shim) = match unit.stage {
            Stage::Down => (Activity::Inactive, "dead", ShimState::Failed),
            Stage::Starting { .. } => (Activity::Activating, "start", ShimState::Starting),
            Stage::Up { .. } => (Activity::Active, "running", ShimState::Ready),
            Stage::Stopping { .. } => (Activity::Deactivating, "stop-sigterm", ShimState::Draining),
            Stage::Waiting { .. } => (Activity::Activating, "auto-restart", ShimState::Failed),
        };
        let status = ShimStatus {
            state: shim,
            pid: None,
            release: releases.then(|| unit.code.clone()),
            responses: None,
            elsewhere: None,
            words: None,
            signal: None,
            crashes: unit.crashes,
            remark: None,
        };
        let row = UnitState {
            name: name.clone(),
            load: "loaded".to_owned(),
            activity,
            sub: sub.to_owned(),
            job: unit.job.and_then(|job| u32::try_from(job).ok()),
        };
        InstanceState {
            invocation: unit.run.map(|run| format!("{run:032x}")),
            restarts: unit.restarts,
            status_text: if unit.run.is_some() {
                status.to_string()
            } else {
                String::new()
            },
            ..InstanceState::listed(&name, Some(&row))
        }
    }

    /// The record that is on disk.
    pub(super) fn record(&self) -> Option<Record> {
        let text = self.files.record.as_ref()?;
        Some(serde_json::from_str(text).expect("a record that can be read"))
    }

    pub(super) fn is_live(&self, release: &str) -> bool {
        self.files.live == Some(id(release))
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.log.push(format!("{:>6} {text}", self.fleet.now));
    }

    pub(super) fn fail(&self, why: &str) -> ! {
        let (log, case) = (self.log.join("\n"), &self.case);
        panic!(
            "seed {}: {why}\n{case:?}\n{log}\n{:#?}\n{:?}",
            self.seed, self.judge, self.fleet.units
        )
    }

    pub(super) fn check(&self, fine: bool, why: impl FnOnce() -> String) {
        if !fine {
            self.fail(&why());
        }
    }

    /// The new state is in force, or the old one.
    pub(super) fn in_force(&self, new: bool) -> bool {
        let (before, after) = self.case.code();
        if self.case.is_release() {
            return self.is_live(if new { NEW } else { OLD }) && self.files.pins.is_empty();
        }
        let text = if new { after } else { before };
        self.files.applied.as_deref() == Some(text) && self.loaded == text
    }
}
