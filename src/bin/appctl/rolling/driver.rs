//! The loop between the planner and the world: carries out a step, and meanwhile listens for instances that die and for
//! the operator.

use std::collections::BTreeMap;
use std::pin::pin;

use anyhow::Context as _;
use appctl::host::bus::{JobResult, Watch};
use appctl::host::record;
use appctl::rollout::{Event, Outcome, Record, Step};
use appctl::spec::Instance;
use jiff::Timestamp;

use super::errors::Watched;
use super::progress::Progress;
use super::work::{Done, Work};
use super::{Interrupts, Reason, Wish, verdict};
use crate::contained::End;
use crate::exit::Exit;
use crate::units;

/// A run of an instance that this rollout brought up.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Its invocation id.
    pub(super) id: String,
    /// When it was asked for.
    pub(super) since: Timestamp,
}

/// One that is over.
#[derive(Debug)]
pub(super) struct Ended {
    /// The exit code.
    pub(super) exit: Exit,
    /// How it ended.
    pub(super) sentence: String,
    /// See [`Driver::first`].
    pub(super) first: Option<End>,
}

/// One rollout under way.
pub(super) struct Driver<'a> {
    /// The rollout, as it is on disk after each step that it has asked for.
    pub(super) record: Record,
    pub(super) work: Work,
    pub(super) progress: Progress,
    pub(super) interrupts: &'a mut Interrupts,
    /// Tells when something changes; what, is looked up.
    pub(super) watch: Watch,
    /// What it began for: [`Event::Begin`] or [`Event::Abort`].
    pub(super) wanted: Event,
    /// Whether it was no fault of the new state.
    pub(super) refused: bool,
    /// What is watched for its errors now.
    pub(super) watched: Option<Watched>,
    /// How the first instance ended that failed in the new state.
    pub(super) first: Option<End>,
    /// Instances brought up by this rollout, and their runs.
    pub(super) runs: BTreeMap<Instance, Run>,
}

impl Driver<'_> {
    /// Takes the rollout from its first event to its end.
    pub(super) async fn drive(mut self) -> anyhow::Result<Ended> {
        let mut step = self.tell(self.wanted.clone())?;
        loop {
            if let Step::Finish(outcome) = step {
                return self.finish(&outcome).await;
            }
            self.progress.begins(&step);
            self.watched = self.watches(&step).await?;
            step = Box::pin(self.take(step)).await?;
        }
    }

    /// Tells the rollout what happened, and keeps it before the step that follows is begun: a process that is killed
    /// has begun nothing that is not on disk. An event that asks for nothing is kept with the next step, and the end
    /// once what it promises is durable, in [`Driver::finish`].
    pub(super) fn tell(&mut self, event: Event) -> anyhow::Result<Step> {
        let step = self.record.rollout.step(event);
        if !matches!(step, Step::Continue | Step::Finish(_)) {
            self.save()?;
        }
        Ok(step)
    }

    /// Carries out one step; the next one.
    async fn take(&mut self, step: Step) -> anyhow::Result<Step> {
        let busy = match &step {
            Step::Run(task) => Some(task.instance()),
            _ => None,
        };
        busy.map(|instance| self.runs.remove(&instance));
        let mut work = pin!(self.work.clone().carry_out(step, self.record.rollout.is_going_back()));
        loop {
            let next = tokio::select! {
                biased;
                done = &mut work => return self.done(done?).await,
                wish = self.interrupts.wish() => self.wished(wish)?,
                changed = self.watch.changed() => {
                    let units = changed.context("lost systemd for good")?;
                    self.changed(&units).await?
                }
                () = self.progress.tick() => Step::Continue,
            };
            if next != Step::Continue {
                return Ok(next);
            }
        }
    }

    /// Deaths first: the planner must know of them before it decides what comes next.
    async fn done(&mut self, done: Done) -> anyhow::Result<Step> {
        match self.look().await? {
            Step::Continue => {}
            next => return Ok(next),
        }
        if let (Event::Up(instance, _), Some(run)) = (&done.event, &done.run) {
            self.runs.insert(*instance, run.clone());
        }
        self.refused |= matches!(done.event, Event::Refused(..));
        self.record.about.shims.extend(done.shims);
        self.note_first(done.reason.as_ref());
        let said = done.reason.map(|reason| reason.lines()).unwrap_or_default();
        self.progress.happened(&done.event, &said);
        done.notes.iter().for_each(|note| self.progress.note(note));
        self.tell(done.event)
    }

    fn note_first(&mut self, reason: Option<&Reason>) {
        if !self.record.rollout.is_going_back() && self.first.is_none() {
            self.first = reason.map(Reason::end);
        }
    }

    fn wished(&mut self, wish: Wish) -> anyhow::Result<Step> {
        let event = match wish {
            Wish::Leave(1) => Event::Interrupted,
            Wish::Leave(_) => {
                self.progress.left();
                std::process::exit(1);
            }
            Wish::Promote => Event::Promote,
            Wish::TakeBack => Event::Abort,
        };
        self.progress.wished(&event);
        self.tell(event)
    }

    /// What is being replaced changes all the time, and is looked at when that is done.
    async fn changed(&mut self, units: &[String]) -> anyhow::Result<Step> {
        let ours = |unit| units::instance_of(&self.work.app, unit).is_some_and(|who| self.runs.contains_key(&who));
        if self.watched.is_some() || units.iter().any(|unit| ours(unit)) {
            return self.look().await;
        }
        Ok(Step::Continue)
    }

    /// Looks whether what this rollout brought up is still there.
    async fn look(&mut self) -> anyhow::Result<Step> {
        let known: Vec<(Instance, Run)> = self.runs.clone().into_iter().collect();
        let name = |(who, _): &(Instance, Run)| units::instance(&self.work.app, *who);
        let names: Vec<String> = known.iter().map(name).collect();
        let runs = self.work.systemd.runs(&names).await?;
        for (((instance, known), now), unit) in known.into_iter().zip(runs).zip(&names) {
            if now.as_ref() == Some(&known.id) {
                continue;
            }
            let state = self.work.systemd.instance(unit).await?;
            let since = Some(known.since);
            let reason = Reason::of(&self.work.systemd, &state, &JobResult::Done, since).await;
            match self.died(instance, &reason)? {
                Step::Continue => {}
                next => return Ok(next),
            }
        }
        self.judge().await
    }

    fn died(&mut self, instance: Instance, reason: &Reason) -> anyhow::Result<Step> {
        self.runs.remove(&instance);
        self.note_first(Some(reason));
        let event = Event::Died(instance, format!("it was ready, and then {}", reason.why));
        self.progress.happened(&event, &reason.lines());
        self.tell(event)
    }

    /// What is durable comes before the record of the end: whoever goes on with this repeats it.
    async fn finish(mut self, outcome: &Outcome) -> anyhow::Result<Ended> {
        if let Some(switching) = self.work.swap.switching() {
            switching.end(&self.work.layout, &self.work.app, outcome, self.refused)?;
        }
        let drained = self.work.drained_since(&self.record.about).await;
        let exit = verdict::exit(outcome, &self.wanted, drained);
        let sentence = verdict::sentence(outcome, &self.record);
        self.progress.finished(exit, &sentence, &self.record, drained);
        self.record.close(super::hold::now(), sentence.clone());
        self.save()?;
        if let Err(why) = self.work.hooks.after(&self.record).await {
            self.progress.note(&why);
        }
        let first = self.first;
        Ok(Ended { exit, sentence, first })
    }

    fn save(&self) -> anyhow::Result<()> {
        Ok(record::write(&self.work.layout, &self.work.app, &self.record)?)
    }
}
