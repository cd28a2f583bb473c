//! The loop between the rollout and the world: carries out a step, and meanwhile listens for instances that die and for
//! the operator.

use std::collections::BTreeMap;
use std::pin::pin;

use super::done::{Done, Run};
use super::errors::Watched;
use super::order::written;
use super::race::{First, first};
use super::work::Work;
use super::{Drained, Ended, JobResult, News, Operator, Reason, Survey, Wish, World, verdict};
use crate::contract::Responses;
use crate::rollout::{Event, Outcome, Record, Step};
use crate::spec::Instance;

/// One rollout under way.
pub(super) struct Driver<'a, W, O> {
    /// The rollout, as it is on disk after each step that it has asked for.
    pub(super) record: Record,
    pub(super) work: Work<'a, W>,
    pub(super) operator: &'a mut O,
    /// What it began for: [`Event::Begin`] or [`Event::Abort`].
    pub(super) wanted: Event,
    /// Whether it was no fault of the new state.
    refused: bool,
    /// What is watched for its errors now.
    watched: Option<Watched>,
    /// Why the first instance failed that did so in the new state.
    first: Option<Reason>,
    /// Instances brought up by this rollout, and their runs.
    pub(super) runs: BTreeMap<Instance, Run>,
}

impl<'a, W: World, O: Operator> Driver<'a, W, O> {
    /// One that has brought up nothing yet.
    pub(super) fn new(record: Record, work: Work<'a, W>, wanted: Event, operator: &'a mut O) -> Self {
        Self {
            record,
            work,
            operator,
            wanted,
            refused: false,
            watched: None,
            first: None,
            runs: BTreeMap::new(),
        }
    }

    /// Takes the rollout from its first event to its end.
    pub(super) async fn drive(mut self) -> anyhow::Result<Ended> {
        let mut step = self.tell(self.wanted.clone())?;
        loop {
            if let Step::Finish(outcome) = step {
                return self.finish(&outcome).await;
            }
            self.operator.tell(News::Step(&step));
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
            let next = match first(work.as_mut(), self.operator, self.work.world).await {
                First::Done(done) => return self.done(done?).await,
                First::Wish(wish) => self.wished(wish)?,
                First::Changed(who) => self.changed(&who?).await?,
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
        self.operator.tell(News::Happened(&done.event, &said));
        for note in &done.notes {
            self.operator.tell(News::Note(note));
        }
        self.tell(done.event)
    }

    fn note_first(&mut self, reason: Option<&Reason>) {
        if !self.record.rollout.is_going_back() && self.first.is_none() {
            self.first = reason.cloned();
        }
    }

    fn wished(&mut self, wish: Wish) -> anyhow::Result<Step> {
        self.operator.tell(News::Heard(wish));
        self.tell(match wish {
            Wish::Leave => Event::Interrupted,
            Wish::Promote => Event::Promote,
            Wish::TakeBack => Event::Abort,
        })
    }

    /// What is being replaced changes all the time, and is looked at when that is done.
    async fn changed(&mut self, who: &[Instance]) -> anyhow::Result<Step> {
        if self.watched.is_some() || who.iter().any(|who| self.runs.contains_key(who)) {
            return self.look().await;
        }
        Ok(Step::Continue)
    }

    /// Looks whether what this rollout brought up is still there.
    async fn look(&mut self) -> anyhow::Result<Step> {
        let known = self.runs.clone();
        let who: Vec<Instance> = known.keys().copied().collect();
        let now = self.work.world.runs(&who).await?;
        for ((instance, known), now) in known.into_iter().zip(now) {
            if now.as_ref() == Some(&known.id) {
                continue;
            }
            for state in self.work.world.instances(&[instance]).await? {
                let since = Some(known.since);
                let reason = self.work.world.why(&state, &JobResult::Done, since).await;
                match self.died(instance, &reason)? {
                    Step::Continue => {}
                    next => return Ok(next),
                }
            }
        }
        self.judge().await
    }

    fn died(&mut self, instance: Instance, reason: &Reason) -> anyhow::Result<Step> {
        self.runs.remove(&instance);
        self.note_first(Some(reason));
        let event = Event::Died(instance, format!("it was ready, and then {}", reason.why));
        self.operator.tell(News::Happened(&event, &reason.lines()));
        self.tell(event)
    }

    /// Begins to watch, when that is the step.
    async fn watches(&self, step: &Step) -> anyhow::Result<Option<Watched>> {
        let (Step::Bake { canary, .. }, Some(limit)) = (step, self.work.errors) else {
            return Ok(None);
        };
        let before = Responses {
            all: self.record.about.responses_before,
            errors: self.record.about.errors_before,
        };
        Ok(Some(Watched {
            limit,
            began: self.survey().await?.answers(),
            before: (!canary).then_some(before),
        }))
    }

    /// Looks at what has been answered since then.
    async fn judge(&mut self) -> anyhow::Result<Step> {
        let Some(watched) = &self.watched else {
            return Ok(Step::Continue);
        };
        let now = self.survey().await?.answers();
        let Some((instance, why)) = watched.verdict(&now, |who| self.runs.contains_key(&who)) else {
            return Ok(Step::Continue);
        };
        let event = Event::Errs(instance, why);
        self.operator.tell(News::Happened(&event, &[]));
        self.tell(event)
    }

    async fn survey(&self) -> anyhow::Result<Survey> {
        let who: Vec<Instance> = self.record.rollout.instances().collect();
        Survey::of(self.work.world, &who).await
    }

    /// What is durable comes before the record of the end: the process that goes on with this repeats it.
    async fn finish(mut self, outcome: &Outcome) -> anyhow::Result<Ended> {
        let world = self.work.world;
        if let Some(switching) = self.work.swap.switching() {
            switching.end(world, outcome, self.refused)?;
        }
        let ended = Ended {
            outcome: outcome.clone(),
            sentence: verdict::sentence(outcome, &self.record),
            wanted: self.wanted.clone(),
            drained: self.drained().await,
            first: self.first.take(),
        };
        self.operator.tell(News::Ended(&ended, &self.record));
        self.record.close(written(world.now()), ended.sentence.clone());
        self.save()?;
        if let Err(why) = self.work.hooks.after(world, &self.record).await {
            self.operator.tell(News::Note(&why));
        }
        Ok(ended)
    }

    /// What became of the requests in progress; `None` where no adapter counts them.
    async fn drained(&self) -> Option<Drained> {
        match self.work.counted {
            true if self.record.about.shims.is_empty() => Some(Drained::default()),
            true => self.work.world.drained(&self.record.about).await,
            false => None,
        }
    }

    fn save(&self) -> anyhow::Result<()> {
        self.work.world.save(&self.record)
    }
}
