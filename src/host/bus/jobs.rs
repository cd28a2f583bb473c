//! Jobs: start, stop, restart, and how each ended. What a job's result is worth is for the caller to decide: `done` only
//! says that systemd has nothing left to do.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use zbus::wire::OwnedObjectPath;
use zbus::{MatchRule, MessageStream};

use super::proof::Proven;
use super::proxy::{MANAGER, SERVICE};
use super::{ANSWER, BusError, Systemd, within};
use crate::drive::{JobResult, Replaced};
use crate::observe::Activity;

/// A signal can be lost while PID 1 executes itself anew; the job is then looked for.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
pub(super) enum Verb {
    Start,
    Stop,
    Restart,
}

/// A job that was queued, and the ends of jobs of its unit.
pub(super) struct Queued<'u> {
    pub(super) verb: Verb,
    pub(super) unit: &'u str,
    pub(super) job: OwnedObjectPath,
    /// Since before it was queued.
    pub(super) removals: MessageStream,
}

impl Systemd {
    /// Starts a unit and waits for the job's end, at most `deadline`.
    pub async fn start(&self, unit: &str, deadline: Duration) -> Result<JobResult, BusError> {
        self.run(Verb::Start, unit, deadline).await
    }

    /// Stops a unit and waits for the job's end, at most `deadline`. A unit that is not loaded is stopped already.
    pub async fn stop(&self, unit: &str, deadline: Duration) -> Result<JobResult, BusError> {
        match self.run(Verb::Stop, unit, deadline).await {
            Err(BusError::NoSuchUnit(_)) => Ok(JobResult::Done),
            other => other,
        }
    }

    /// Restarts a unit, or starts it when it does not run, and waits for the job's end, at most `deadline`.
    pub async fn restart(&self, unit: &str, deadline: Duration) -> Result<JobResult, BusError> {
        self.run(Verb::Restart, unit, deadline).await
    }

    /// The same, with what systemd knew of the service before and after it. On a busy machine every question counts, so
    /// what can be asked at once is.
    pub async fn replace(&self, unit: &str, deadline: Duration) -> Result<Replaced, BusError> {
        let end = Instant::now() + deadline;
        let (removals, before, proven) = tokio::try_join!(self.removals(unit), self.instance(unit), self.prove(unit))?;
        let result = self.carry_out(Verb::Restart, proven, removals, end).await?;
        let after = self.instance(unit).await?;
        Ok(Replaced { before, result, after })
    }

    async fn run(&self, verb: Verb, unit: &str, deadline: Duration) -> Result<JobResult, BusError> {
        let end = Instant::now() + deadline;
        // Before the call: a quick job is over before its path has come back.
        let (removals, proven) = tokio::try_join!(self.removals(unit), self.prove(unit))?;
        self.carry_out(verb, proven, removals, end).await
    }

    /// Queues a job for a unit that was proven to be ours, and waits for its end.
    async fn carry_out(
        &self,
        verb: Verb,
        proven: Proven<'_>,
        removals: MessageStream,
        end: Instant,
    ) -> Result<JobResult, BusError> {
        let unit = proven.name();
        let job = self.queue(verb, proven).await?;
        let queued = Queued {
            verb,
            unit,
            job,
            removals,
        };
        self.finished(queued, end).await
    }

    /// Waits for the job's end.
    pub(super) async fn finished(&self, mut queued: Queued<'_>, end: Instant) -> Result<JobResult, BusError> {
        let (unit, job) = (queued.unit, &queued.job);
        while Instant::now() < end {
            let look = end.min(Instant::now() + LOOK);
            match timeout_at(look, queued.removals.next()).await {
                Ok(Some(Ok(message))) => {
                    if let Ok((_, path, _, word)) = message.body().deserialize::<(u32, OwnedObjectPath, &str, &str)>()
                        && path == *job
                    {
                        return Ok(JobResult::of(word));
                    }
                }
                Ok(_) => queued.removals = self.removals(unit).await?,
                Err(_) => {}
            }
            if Instant::now() >= look && self.job(unit).await? != *job {
                return self.judge(queued.verb, unit).await;
            }
        }
        Ok(JobResult::Unfinished)
    }

    /// Ends of this unit's jobs, from now on.
    pub(super) async fn removals(&self, unit: &str) -> Result<MessageStream, BusError> {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(SERVICE)
            .path(MANAGER)
            .interface("org.freedesktop.systemd1.Manager")
            .member("JobRemoved")
            .arg(2, unit)
            .build()
            .map_err(BusError::Garbled)?;
        let connection = self.live().await?;
        let stream = MessageStream::for_match_rule(rule, &connection, NonZeroUsize::new(1024));
        within(ANSWER, unit, stream).await
    }

    /// Queues the job; repeating that after a lost answer is harmless, because equal jobs merge.
    async fn queue(&self, verb: Verb, unit: Proven<'_>) -> Result<OwnedObjectPath, BusError> {
        self.patiently(async || self.queue_once(verb, unit).await).await
    }

    async fn queue_once(&self, verb: Verb, unit: Proven<'_>) -> Result<OwnedObjectPath, BusError> {
        let unit = unit.name();
        let manager = self.manager().await?;
        match verb {
            Verb::Start => within(ANSWER, unit, manager.start_unit(unit, "replace")).await,
            Verb::Stop => within(ANSWER, unit, manager.stop_unit(unit, "replace")).await,
            Verb::Restart => within(ANSWER, unit, manager.restart_unit(unit, "replace")).await,
        }
    }

    /// The result of a job whose end nobody told us.
    async fn judge(&self, verb: Verb, unit: &str) -> Result<JobResult, BusError> {
        let activity = self.instance(unit).await?.activity;
        let done = match verb {
            Verb::Stop => matches!(activity, Activity::Inactive | Activity::Failed),
            Verb::Start | Verb::Restart => activity == Activity::Active,
        };
        Ok(if done { JobResult::Done } else { JobResult::Failed })
    }
}
