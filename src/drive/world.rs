//! What a driver needs of the world, each part through one trait. Everything is about one app.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Drained, JobResult, Reason, Replaced, Texts};
use crate::observe::InstanceState;
use crate::release::ReleaseId;
use crate::rollout::{About, Record};
use crate::spec::Instance;

/// All of it.
pub trait World: Clock + Systemd + Disk + Journal + Commands {}

impl<T: Clock + Systemd + Disk + Journal + Commands> World for T {}

/// Environment variables of a command of the operator's.
pub type Variables = Vec<(&'static str, String)>;

/// Time.
#[expect(async_fn_in_trait, reason = "appctl has one thread")]
pub trait Clock {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// Waits for so long.
    async fn sleep(&self, time: Duration);
}

/// The instances, as systemd runs them. An error is a question that got no answer; what was asked for may have been done.
#[expect(async_fn_in_trait, reason = "appctl has one thread")]
pub trait Systemd {
    /// What is known of instances, in the order asked for.
    async fn instances(&self, who: &[Instance]) -> anyhow::Result<Vec<InstanceState>>;

    /// The run that each is up in, `None` where it is not, in the order asked for.
    async fn runs(&self, who: &[Instance]) -> anyhow::Result<Vec<Option<String>>>;

    /// Restarts an instance, or starts it when it does not run, and waits for the job's end.
    async fn replace(&self, instance: Instance) -> anyhow::Result<Replaced>;

    /// Stops an instance, waits for the job's end, and has systemd forget that it ever failed.
    async fn stop(&self, instance: Instance) -> anyhow::Result<JobResult>;

    /// Has systemd read its units again.
    async fn reload(&self) -> anyhow::Result<()>;

    /// Notices changes of instances from now on.
    async fn watch(&self, who: &[Instance]) -> anyhow::Result<()>;

    /// Waits for changes; which instances they are of. Dropping it loses none.
    async fn changed(&self) -> anyhow::Result<Vec<Instance>>;
}

/// Files. Every write may be repeated.
pub trait Disk {
    /// Replaces the record of the rollout.
    fn save(&self, record: &Record) -> anyhow::Result<()>;

    /// The release that is live.
    fn live(&self) -> Option<ReleaseId>;

    /// Makes a release the live one, or none.
    fn make_live(&self, release: Option<&ReleaseId>) -> anyhow::Result<()>;

    /// From its next start on the instance runs this release, whatever is live.
    fn pin(&self, instance: Instance, release: &ReleaseId) -> anyhow::Result<()>;

    /// Which instance is pinned to what.
    fn pins(&self) -> anyhow::Result<BTreeMap<Instance, ReleaseId>>;

    /// From their next start on all instances run what is live.
    fn unpin_all(&self) -> anyhow::Result<()>;

    /// Remembers why a release failed; with `None`, that it did not.
    fn mark(&self, release: &ReleaseId, failed: Option<&str>) -> anyhow::Result<()>;

    /// Keeps both configurations of a change, for a later process.
    fn remember(&self, texts: &Texts) -> anyhow::Result<()>;

    /// Both configurations of the last change.
    fn recall(&self) -> anyhow::Result<Texts>;

    /// Writes the configuration that is in force, and the variables kept beside it; `None` is no file.
    fn apply(&self, text: Option<&str>, env: Option<&str>) -> anyhow::Result<()>;

    /// Replaces the operator's own file, unless it was edited meanwhile.
    fn follow(&self, from: Option<&str>, to: Option<&str>) -> anyhow::Result<()>;
}

/// What instances have said.
#[expect(async_fn_in_trait, reason = "appctl has one thread")]
pub trait Journal {
    /// Why an instance is in this state, after a job with this result, with what it said since then.
    async fn why(&self, state: &InstanceState, result: &JobResult, since: Option<Timestamp>) -> Reason;

    /// Requests that were waited for and cut since a rollout began; `None` when that is not known.
    async fn drained(&self, about: &About) -> Option<Drained>;
}

/// The operator's own commands. An error is a fragment for people.
#[expect(async_fn_in_trait, reason = "appctl has one thread")]
pub trait Commands {
    /// Refuses a command that another account could have put there.
    fn refuse_untrusted(&self, command: &[String]) -> Result<(), String>;

    /// Runs a command.
    async fn run(&self, command: &[String], variables: &Variables, limit: Duration) -> Result<(), String>;
}
