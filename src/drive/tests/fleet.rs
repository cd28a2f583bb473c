//! Instances as systemd runs them, in a time of their own.

use std::collections::BTreeMap;

use super::case::Quality;
use super::dice::Dice;
use crate::drive::JobResult;
use crate::spec::Instance;

/// What an instance is doing; times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Down,
    Starting {
        until: u64,
        comes_up: bool,
    },
    Up {
        since: u64,
        dies: Option<u64>,
    },
    Stopping {
        until: u64,
        again: bool,
    },
    /// Until systemd starts it once more.
    Waiting {
        until: u64,
    },
}

/// One instance.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) stage: Stage,
    pub(super) run: Option<u64>,
    pub(super) restarts: u32,
    pub(super) crashes: u32,
    /// What it runs.
    pub(super) code: String,
    pub(super) job: Option<u64>,
    /// When it was lost by itself, and has not been up since.
    pub(super) lost: Option<u64>,
    /// Whether a rollout has ever asked something of it.
    pub(super) touched: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) now: u64,
    pub(super) units: BTreeMap<Instance, Unit>,
    pub(super) jobs: BTreeMap<u64, JobResult>,
    /// Changes, and when they are heard of.
    pub(super) notices: Vec<(u64, Instance)>,
    pub(super) quality: BTreeMap<&'static str, Quality>,
    pub(super) dice: Dice,
    /// Runs and jobs so far.
    pub(super) count: u64,
}

impl Unit {
    pub(super) fn absent() -> Self {
        Self {
            stage: Stage::Down,
            run: None,
            restarts: 0,
            crashes: 0,
            code: String::new(),
            job: None,
            lost: None,
            touched: false,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up { .. })
    }

    fn next(&self) -> Option<u64> {
        match self.stage {
            Stage::Down => None,
            Stage::Up { dies, .. } => dies,
            Stage::Starting { until, .. } | Stage::Stopping { until, .. } | Stage::Waiting { until } => Some(until),
        }
    }
}

impl Fleet {
    pub(super) fn unit(&mut self, who: Instance) -> &mut Unit {
        self.units.entry(who).or_insert_with(Unit::absent)
    }

    pub(super) fn is_up(&self, who: Instance) -> bool {
        self.units.get(&who).is_some_and(Unit::is_up)
    }

    /// When something happens next by itself.
    pub(super) fn next(&self) -> Option<u64> {
        self.units.values().filter_map(Unit::next).min()
    }

    /// When something happens next to one.
    pub(super) fn next_of(&self, who: Instance) -> Option<u64> {
        self.units.get(&who).and_then(Unit::next)
    }

    /// Queues a job, which takes the place of another. `code` is what an instance runs that starts now.
    pub(super) fn queue(&mut self, who: Instance, again: bool, code: &str) -> u64 {
        self.count += 1;
        let (job, until) = (self.count, self.now + 5 + self.dice.below(40));
        let unit = self.unit(who);
        let earlier = unit.job.replace(job);
        (unit.touched, unit.restarts, unit.crashes) = (true, 0, 0);
        let busy = match unit.stage {
            Stage::Up { .. } | Stage::Starting { .. } => Some(until),
            Stage::Stopping { until, .. } => Some(until),
            Stage::Down | Stage::Waiting { .. } => None,
        };
        if !again {
            unit.lost = None;
        }
        self.jobs.extend(earlier.map(|earlier| (earlier, JobResult::Canceled)));
        match busy {
            Some(until) => self.unit(who).stage = Stage::Stopping { until, again },
            None if again => self.start(who, code),
            None => self.rest(who),
        }
        self.notice(who);
        job
    }

    /// Whatever is due in an instance happens. `code` is what it runs if it starts.
    pub(super) fn turn(&mut self, who: Instance, code: &str) {
        match self.unit(who).stage {
            Stage::Starting { comes_up: true, .. } => self.come_up(who),
            Stage::Starting { comes_up: false, .. } => {
                self.finish(who, JobResult::Failed);
                self.crash(who);
            }
            Stage::Stopping { again: true, .. } => self.start(who, code),
            Stage::Stopping { again: false, .. } => self.rest(who),
            Stage::Waiting { .. } => {
                self.unit(who).restarts += 1;
                self.start(who, code);
            }
            Stage::Up { .. } => self.crash(who),
            Stage::Down => {}
        }
        self.notice(who);
    }

    /// It dies, and waits until systemd starts it again.
    pub(super) fn crash(&mut self, who: Instance) {
        let (now, pause) = (self.now, self.dice.pick(&[1, 1, 50, 300, 600]));
        let unit = self.unit(who);
        unit.crashes += 1;
        unit.lost.get_or_insert(now);
        unit.stage = Stage::Waiting { until: now + pause };
        self.notice(who);
    }

    fn start(&mut self, who: Instance, code: &str) {
        let quality = self.quality.get(code).copied().unwrap_or(Quality::Good);
        let comes_up = match quality {
            Quality::Good | Quality::Dies(_) => true,
            Quality::NeverUp => false,
            Quality::Flaky => self.dice.chance(700),
        };
        self.count += 1;
        let (run, until) = (self.count, self.now + self.dice.pick(&[1, 5, 30, 60]));
        let unit = self.unit(who);
        (unit.run, unit.code) = (Some(run), code.to_owned());
        unit.stage = Stage::Starting { until, comes_up };
    }

    fn come_up(&mut self, who: Instance) {
        let since = self.now;
        let code = self.unit(who).code.clone();
        let dies = match self.quality.get(code.as_str()) {
            Some(Quality::Dies(after)) => Some(since + after),
            _ => None,
        };
        let unit = self.unit(who);
        unit.stage = Stage::Up { since, dies };
        unit.lost = None;
        self.finish(who, JobResult::Done);
    }

    fn rest(&mut self, who: Instance) {
        self.unit(who).stage = Stage::Down;
        self.finish(who, JobResult::Done);
    }

    fn finish(&mut self, who: Instance, result: JobResult) {
        if let Some(job) = self.unit(who).job.take() {
            self.jobs.insert(job, result);
        }
    }

    /// Late, twice or after the next one, as a busy bus does it.
    fn notice(&mut self, who: Instance) {
        let delay = self.dice.pick(&[0, 1, 3, 30, 400]);
        self.notices.push((self.now + delay, who));
        if self.dice.chance(100) {
            self.notices.push((self.now + 2 * delay, who));
        }
    }

    /// Changes that are heard of by now.
    pub(super) fn heard(&mut self) -> Vec<Instance> {
        let now = self.now;
        let due: Vec<Instance> = self
            .notices
            .extract_if(.., |(at, _)| *at <= now)
            .map(|(_, who)| who)
            .collect();
        due
    }
}
