//! The world that a driver meets: every effect may be the last, every answer late or lost.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use super::case::{NEW, id};
use super::machine::Machine;
use crate::drive::{
    Clock, Commands, Disk, Drained, JobResult, Journal, News, Operator, Reason, Replaced, Systemd, Texts, Variables,
    Wish,
};
use crate::observe::InstanceState;
use crate::release::ReleaseId;
use crate::rollout::{About, Record, Step};
use crate::spec::Instance;

/// A machine that several hands reach.
#[derive(Debug)]
pub(super) struct Fake(pub(super) RefCell<Machine>);

impl Fake {
    pub(super) fn machine(&self) -> RefMut<'_, Machine> {
        self.0.borrow_mut()
    }

    /// Before and after each effect the process may be killed.
    async fn gate(&self) {
        let burns = {
            let mut machine = self.machine();
            let burns = machine.burns();
            if !burns {
                machine.mishap();
            }
            burns
        };
        if burns {
            pending::<()>().await;
        }
    }

    async fn until(&self, at: u64) {
        poll_fn(|_| {
            let mut machine = self.machine();
            if machine.fleet.now >= at {
                return Poll::Ready(());
            }
            machine.timers.insert(at);
            Poll::Pending
        })
        .await;
    }

    /// A message on its way.
    async fn delay(&self, most: u64) {
        let at = {
            let mut machine = self.machine();
            machine.fleet.now + machine.fleet.dice.below(most)
        };
        self.until(at).await;
    }

    /// A question: asked late, answered late, and perhaps never.
    async fn ask<T>(&self, answer: impl FnOnce(&mut Machine) -> T) -> anyhow::Result<T> {
        self.gate().await;
        self.delay(8).await;
        let lost = {
            let mut machine = self.machine();
            let rate = machine.rates.lost;
            machine.fleet.dice.chance(rate)
        };
        let value = answer(&mut self.machine());
        self.delay(8).await;
        self.gate().await;
        self.lost_or(lost, value)
    }

    fn lost_or<T>(&self, lost: bool, value: T) -> anyhow::Result<T> {
        if lost {
            self.machine().note("the answer is lost");
            anyhow::bail!("no answer");
        }
        Ok(value)
    }

    fn write(&self, what: &str, change: impl FnOnce(&mut Machine)) -> anyhow::Result<()> {
        let mut machine = self.machine();
        anyhow::ensure!(!machine.burns(), "killed");
        machine.mishap();
        let rate = machine.rates.disk;
        if machine.fleet.dice.chance(rate) {
            machine.note(format!("{what}: no space left"));
            anyhow::bail!("no space left");
        }
        machine.note(what);
        change(&mut machine);
        anyhow::ensure!(!machine.burns(), "killed");
        Ok(())
    }

    /// Waits for the end of a job.
    async fn ended(&self, job: u64) -> JobResult {
        poll_fn(|_| match self.machine().fleet.jobs.remove(&job) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        })
        .await
    }

    /// The result of a restart, as systemd tells it.
    async fn restart(&self, who: Instance) -> Option<JobResult> {
        let (rates, die) = {
            let mut machine = self.machine();
            (machine.rates, machine.fleet.dice.below(1000))
        };
        let late = die % 2 == 0;
        if die < rates.hollow && late {
            self.machine()
                .note(format!("{who}: done, says systemd, and nothing was"));
            return Some(JobResult::Done);
        }
        let job = self.machine().queue(who, true);
        self.gate().await;
        if die < rates.hollow {
            self.delay(100).await;
            let mut machine = self.machine();
            machine.note(format!("{who}: it takes too long"));
            let now = machine.fleet.now;
            if !machine.fleet.is_up(who) {
                machine.fleet.unit(who).lost.get_or_insert(now);
            }
            return Some(JobResult::Unfinished);
        }
        let result = self.ended(job).await;
        (die < 1000 - rates.lost).then_some(result)
    }
}

impl Clock for Fake {
    fn now(&self) -> Timestamp {
        let now = i64::try_from(self.machine().fleet.now).expect("a short time");
        Timestamp::from_millisecond(1_795_406_400_000 + now).expect("a time")
    }

    async fn sleep(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).expect("a short time");
        let at = self.machine().fleet.now + time;
        self.until(at).await;
        self.gate().await;
    }
}

impl Systemd for Fake {
    async fn instances(&self, who: &[Instance]) -> anyhow::Result<Vec<InstanceState>> {
        let look = |machine: &mut Machine| who.iter().map(|who| (machine.fleet.now, machine.state(*who))).collect();
        let states: Vec<(u64, InstanceState)> = self.ask(look).await?;
        let found = |(who, (at, state)): (&Instance, (u64, InstanceState))| {
            let run = state.invocation.clone().filter(|_| state.activity.is_up());
            self.machine().judge.found(*who, run, at);
            state
        };
        Ok(who.iter().zip(states).map(found).collect())
    }

    async fn runs(&self, who: &[Instance]) -> anyhow::Result<Vec<Option<String>>> {
        let run = |machine: &mut Machine, who: Instance| {
            let state = machine.state(who);
            machine.judge.look(who, machine.fleet.now);
            state.invocation.filter(|_| state.activity.is_up())
        };
        let look = |machine: &mut Machine| who.iter().map(|who| run(machine, *who)).collect();
        let runs: Vec<Option<String>> = self.ask(look).await?;
        for (who, run) in who.iter().zip(&runs) {
            self.machine().told(*who, run.as_ref());
        }
        Ok(runs)
    }

    async fn replace(&self, who: Instance) -> anyhow::Result<Replaced> {
        self.gate().await;
        self.machine().judge_request(who, true);
        self.machine().judge.forget(who);
        let before = self.machine().state(who);
        self.delay(8).await;
        let result = self.restart(who).await;
        self.delay(8).await;
        let after = {
            let mut machine = self.machine();
            let now = machine.fleet.now;
            machine.judge.look(who, now);
            machine.state(who)
        };
        self.delay(8).await;
        self.gate().await;
        let result = self.lost_or(result.is_none(), result)?.unwrap_or(JobResult::Done);
        let new = after
            .invocation
            .clone()
            .filter(|_| after.invocation != before.invocation);
        let up = result == JobResult::Done && after.activity.is_up();
        let mut machine = self.machine();
        match new.filter(|_| up && after.restarts == 0) {
            Some(run) => machine.judge.came_up(who, run),
            None => machine.told_of_failure(who, "it did not come up"),
        }
        drop(machine);
        Ok(Replaced { before, result, after })
    }

    async fn stop(&self, who: Instance) -> anyhow::Result<JobResult> {
        self.gate().await;
        self.machine().judge_request(who, false);
        self.machine().judge.forget(who);
        self.delay(8).await;
        let job = self.machine().queue(who, false);
        self.gate().await;
        let result = self.ended(job).await;
        self.delay(8).await;
        let lost = {
            let mut machine = self.machine();
            let rate = machine.rates.lost;
            machine.fleet.dice.chance(rate)
        };
        self.gate().await;
        self.lost_or(lost, result)
    }

    async fn reload(&self) -> anyhow::Result<()> {
        self.ask(|machine| {
            machine.note("daemon-reload");
            machine.loaded = machine.files.applied.clone().unwrap_or_default();
        })
        .await
    }

    async fn watch(&self, _: &[Instance]) -> anyhow::Result<()> {
        self.machine().fleet.notices.clear();
        self.ask(|_| ()).await
    }

    async fn changed(&self) -> anyhow::Result<Vec<Instance>> {
        let heard = poll_fn(|_| {
            let mut machine = self.machine();
            let heard = if machine.killed {
                Vec::new()
            } else {
                machine.fleet.heard()
            };
            if heard.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(heard)
            }
        });
        Ok(heard.await)
    }
}

impl Disk for Fake {
    fn save(&self, record: &Record) -> anyhow::Result<()> {
        let text = serde_json::to_string(record)?;
        self.write("write the record", |machine| {
            machine.judge_save(record);
            machine.files.record = Some(text);
        })
    }

    fn live(&self) -> Option<ReleaseId> {
        self.machine().files.live.clone()
    }

    fn make_live(&self, release: Option<&ReleaseId>) -> anyhow::Result<()> {
        self.write(&format!("make {release:?} live"), |machine| {
            if release == Some(&id(NEW)) {
                machine.judge_commit();
            } else {
                machine.expect_step("to put it back", |step| *step == Step::Undo);
            }
            machine.files.live = release.cloned();
        })
        .map_err(|error| self.refused(error))
    }

    fn pin(&self, instance: Instance, release: &ReleaseId) -> anyhow::Result<()> {
        self.write(&format!("pin {instance} to {release}"), |machine| {
            machine.expect_step("a pin", |step| match step {
                Step::Stage => instance == Instance::Surge && *release == id(NEW),
                Step::Run(task) => task.instance() == instance && *release == id(NEW),
                Step::Commit => true,
                _ => false,
            });
            machine.files.pins.insert(instance, release.clone());
        })
        .map_err(|error| self.refused(error))
    }

    fn pins(&self) -> anyhow::Result<BTreeMap<Instance, ReleaseId>> {
        Ok(self.machine().files.pins.clone())
    }

    fn unpin_all(&self) -> anyhow::Result<()> {
        self.write("unpin all", |machine| machine.files.pins.clear())
            .map_err(|error| self.refused(error))
    }

    fn mark(&self, release: &ReleaseId, failed: Option<&str>) -> anyhow::Result<()> {
        self.write(&format!("mark {release}: {failed:?}"), |machine| {
            if failed.is_some() {
                machine.files.bad.insert(release.clone());
            } else {
                machine.files.bad.remove(release);
            }
        })
    }

    fn remember(&self, texts: &Texts) -> anyhow::Result<()> {
        self.write("keep both texts", |machine| machine.files.texts = texts.clone())
    }

    fn recall(&self) -> anyhow::Result<Texts> {
        Ok(self.machine().files.texts.clone())
    }

    fn apply(&self, text: Option<&str>, _: Option<&str>) -> anyhow::Result<()> {
        let text = text.map(str::to_owned);
        self.write(&format!("apply {text:?}"), |machine| {
            let right = if text.as_deref() == Some("new") {
                Step::Stage
            } else {
                Step::Undo
            };
            machine.expect_step("to apply that", |step| *step == right);
            machine.files.applied = text;
        })
        .map_err(|error| self.refused(error))
    }

    fn follow(&self, from: Option<&str>, to: Option<&str>) -> anyhow::Result<()> {
        self.write(&format!("follow {from:?} {to:?}"), |machine| {
            if machine.files.wanted.as_deref() == from {
                machine.files.wanted = to.map(str::to_owned);
            }
        })
        .map_err(|error| self.refused(error))
    }
}

impl Fake {
    /// A switch that does not work is a failure.
    fn refused(&self, error: anyhow::Error) -> anyhow::Error {
        let why = "a switch did not work".to_owned();
        self.machine().judge.failed.get_or_insert(why);
        error
    }
}

impl Journal for Fake {
    async fn why(&self, _: &InstanceState, _: &JobResult, _: Option<Timestamp>) -> Reason {
        self.gate().await;
        self.delay(30).await;
        let why = "boom".to_owned();
        Reason {
            why,
            ..Reason::default()
        }
    }

    async fn drained(&self, _: &About) -> Option<Drained> {
        self.gate().await;
        None
    }
}

impl Commands for Fake {
    fn refuse_untrusted(&self, _: &[String]) -> Result<(), String> {
        Ok(())
    }

    async fn run(&self, command: &[String], variables: &Variables, _: Duration) -> Result<(), String> {
        self.gate().await;
        self.delay(20).await;
        let mut machine = self.machine();
        let rate = machine.rates.hook;
        if !machine.fleet.dice.chance(rate) {
            return Ok(());
        }
        machine.note(format!("{command:?} fails"));
        let forward = variables.contains(&("APPCTL_DIRECTION", "forward".to_owned()));
        if forward && command[0] == "/bin/out" {
            machine
                .judge
                .failed
                .get_or_insert("the operator's command refused".to_owned());
        }
        Err("boom".to_owned())
    }
}

/// The operator, who is impatient now and then.
#[derive(Debug)]
pub(super) struct Person<'a>(pub(super) &'a Fake);

impl Operator for Person<'_> {
    fn tell(&mut self, news: News<'_>) {
        if let News::Happened(event, _) = news {
            self.0.machine().note(format!("told {event:?}"));
        }
    }

    async fn wish(&mut self) -> Wish {
        poll_fn(|_| {
            let mut machine = self.0.machine();
            let now = machine.fleet.now;
            let due = machine.wishes.iter().position(|(at, _)| *at <= now);
            match due.filter(|_| !machine.killed) {
                Some(at) => Poll::Ready(machine.wishes.remove(at).1),
                None => Poll::Pending,
            }
        })
        .await
        .heard(self.0)
    }
}

impl Wish {
    fn heard(self, fake: &Fake) -> Self {
        let mut machine = fake.machine();
        machine.note(format!("the operator: {self:?}"));
        let watches = matches!(machine.judge.step(), Some(Step::Bake { .. }));
        match self {
            Self::Leave => drop(machine.judge.failed.get_or_insert("the operator leaves".to_owned())),
            Self::TakeBack if watches => {
                machine.judge.aborting = true;
                machine
                    .judge
                    .failed
                    .get_or_insert("the operator takes it back".to_owned());
            }
            Self::Promote => machine.judge.promote(),
            Self::TakeBack => {}
        }
        self
    }
}
