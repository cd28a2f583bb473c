//! Bringing one instance up, and the proof that it is. A job that is done proves nothing by itself.

use jiff::Timestamp;

use super::done::{Done, Run, main_process};
use super::survey::release_of;
use super::{Replaced, Swap, World};
use crate::contract::ShimStatus;
use crate::observe::InstanceState;
use crate::release::ReleaseId;
use crate::rollout::Event;
use crate::spec::Instance;

/// One attempt to bring an instance up.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) instance: Instance,
    /// On the way back.
    pub(super) back: bool,
    pub(super) swap: &'a Swap,
}

impl Attempt<'_> {
    /// A restart also starts what is stopped, and replaces what an earlier rollout may have left running.
    pub(super) async fn make(&self, world: &impl World) -> anyhow::Result<Done> {
        if let (Some(switching), false) = (self.swap.switching(), self.back)
            && let Err(error) = switching.pin(world, self.instance)
        {
            return Ok(Done::from(Event::Refused(self.instance, format!("{error:#}"))));
        }
        let since = world.now();
        let mut replaced = world.replace(self.instance).await?;
        let mut shims = met(&replaced);
        // What is left behind on the way back tends to crash by itself. systemd makes one of our request and of its own
        // restart of that, and then it looks as if the old state had crashed.
        if self.back && replaced.result.is_done() && crashed(&replaced) {
            replaced = world.replace(self.instance).await?;
            shims.extend(met(&replaced));
        }
        let done = self.judged(world, replaced, since).await?;
        Ok(Done { shims, ..done })
    }

    /// What came of it.
    async fn judged(&self, world: &impl World, replaced: Replaced, since: Timestamp) -> anyhow::Result<Done> {
        let again = crashed(&replaced);
        let Replaced { before, result, after } = replaced;
        if let Some(other) = self.runs_another(&after) {
            let why = format!("it runs release {other}, not the one it should");
            return Ok(Done::from(Event::NotUp(self.instance, why)));
        }
        let new = after
            .invocation
            .clone()
            .filter(|_| after.invocation != before.invocation);
        let run = new.filter(|_| result.is_done() && after.activity.is_up());
        let up = run.is_some();
        if let (Some(id), false) = (run, again) {
            let done = Done::from(Event::Up(self.instance, id.clone()));
            let run = Some(Run { id, since });
            return Ok(Done { run, ..done });
        }
        let reason = world.why(&after, &result, Some(since)).await;
        let why = if up {
            "it crashed, and came up only after systemd restarted it".to_owned()
        } else {
            reason.why.clone()
        };
        let done = Done::from(Event::NotUp(self.instance, why));
        Ok(Done {
            reason: Some(reason),
            ..done
        })
    }

    /// The release of an instance that is up, when it is another than it should be.
    fn runs_another(&self, state: &InstanceState) -> Option<ReleaseId> {
        let expected = self.swap.switching()?.expected(self.back)?;
        let release = release_of(state).filter(|_| state.activity.is_up())?;
        (release != *expected).then_some(release)
    }
}

fn met(replaced: &Replaced) -> Vec<(String, u32)> {
    let both = [&replaced.before, &replaced.after];
    both.into_iter().filter_map(main_process).collect()
}

/// Whether the run that was asked for has ended meanwhile and this is a later one. systemd's count alone does not tell: it
/// keeps counting when the request met a unit that it was about to restart anyway. The shim's count begins anew with
/// each request.
fn crashed(Replaced { before, after, .. }: &Replaced) -> bool {
    let shim = after.status_text.parse::<ShimStatus>();
    after.restarts > before.restarts && !shim.is_ok_and(|shim| shim.crashes == 0)
}
