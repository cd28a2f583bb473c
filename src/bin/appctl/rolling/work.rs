//! One step, carried out: systemd is asked, and the answer verified. A job that is done proves nothing by itself.

use std::time::Duration;

use appctl::contract::times;
use appctl::host::bus::{InstanceState, Replaced, Systemd};
use appctl::observe::ShimStatus;
use appctl::release::Layout;
use appctl::rollout::{Event, Step, Task};
use appctl::spec::{Adapter, AppName, AppSpec, Instance};
use jiff::Timestamp;

use super::driver::Run;
use super::hooks::{Hooks, Moment};
use super::survey::{main_process, release_of};
use super::{Reason, Swap, haste};
use crate::units;

/// Everything a step needs.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) systemd: Systemd,
    pub(super) layout: Layout,
    pub(super) app: AppName,
    pub(super) swap: Swap,
    pub(super) hooks: Hooks,
    /// Most percent of errors while it is watched.
    pub(super) errors: Option<u32>,
    /// Whether an adapter counts requests.
    pub(super) counted: bool,
    up: Duration,
    down: Duration,
}

/// What came of a step.
#[derive(Debug)]
pub(super) struct Done {
    /// For the planner.
    pub(super) event: Event,
    /// The run of an instance that came up.
    pub(super) run: Option<Run>,
    /// Why an instance failed.
    pub(super) reason: Option<Reason>,
    /// What went wrong and stops nothing.
    pub(super) notes: Vec<String>,
    /// Main processes of the runs that were met, see [`appctl::rollout::About::shims`].
    pub(super) shims: Vec<(String, u32)>,
}

impl Work {
    pub(super) fn new(systemd: &Systemd, layout: &Layout, spec: &AppSpec, swap: Swap) -> Self {
        Self {
            systemd: systemd.clone(),
            layout: layout.clone(),
            app: spec.name.clone(),
            hooks: Hooks::of(spec),
            errors: spec.deploy.errors,
            counted: spec.adapter == Adapter::Node,
            swap,
            // systemd keeps its own limits; these only catch a systemd that does not.
            up: times::worst_restart(spec),
            down: times::worst_stop(spec),
        }
    }

    /// Carries out a step, forward or back. May be dropped only while it waits in [`Step::Settle`] or [`Step::Bake`].
    pub(super) async fn carry_out(self, step: Step, back: bool) -> anyhow::Result<Done> {
        let event = match step {
            Step::Stage => match self.swap.stage(&self.layout, &self.app, &self.systemd).await {
                Ok(()) => Event::Switched,
                Err(error) => Event::NotSwitched(format!("{error:#}")),
            },
            Step::Undo => match self.swap.undo(&self.layout, &self.app, &self.systemd).await {
                Ok(()) => Event::Undone,
                Err(error) => Event::NotUndone(format!("{error:#}")),
            },
            Step::Commit => match self.swap.commit(&self.layout, &self.app, &self.systemd).await {
                Ok(()) => Event::Switched,
                Err(error) => Event::NotSwitched(format!("{error:#}")),
            },
            Step::Run(task) => return self.run(task, back).await,
            Step::Settle(time) => {
                tokio::time::sleep(time).await;
                Event::Settled
            }
            Step::Bake { time, .. } => {
                tokio::time::sleep(time).await;
                Event::Baked
            }
            Step::Continue | Step::Finish(_) => std::future::pending().await,
        };
        Ok(Done::from(event))
    }

    /// One instance's part, between the operator's own commands. Nothing may hold up the way back.
    async fn run(&self, task: Task, back: bool) -> anyhow::Result<Done> {
        let instance = task.instance();
        let moment = Moment { task, back };
        let before = self.hooks.before_instance(&moment, &self.swap).await;
        if let (Err(why), false) = (&before, back) {
            return Ok(Done::from(Event::Refused(instance, why.clone())));
        }
        let mut done = if task.brings_up() {
            self.bring_up(instance, back).await?
        } else {
            self.take_down(instance).await?
        };
        let after = self.hooks.after_instance(&moment, &self.swap).await;
        done.notes.extend(before.err().into_iter().chain(after.err()));
        Ok(done)
    }

    /// A restart also starts what is stopped, and replaces what an earlier rollout may have left running.
    async fn bring_up(&self, instance: Instance, back: bool) -> anyhow::Result<Done> {
        if let (Some(switching), false) = (self.swap.switching(), back)
            && let Err(error) = switching.pin(&self.layout, &self.app, instance)
        {
            return Ok(Done::from(Event::Refused(instance, format!("{error:#}"))));
        }
        let unit = units::instance(&self.app, instance);
        let since = Timestamp::now();
        let mut shims = Vec::new();
        let mut replaced = self.replace(&unit, &mut shims).await?;
        // What is left behind on the way back tends to crash by itself. systemd makes one of our request and of its own
        // restart of that, and then it looks as if the old state had crashed.
        if back && replaced.result.is_done() && crashed(&replaced) {
            replaced = self.replace(&unit, &mut shims).await?;
        }
        let done = self.judged(instance, replaced, since, back).await?;
        Ok(Done { shims, ..done })
    }

    /// What came of a request to bring an instance up.
    async fn judged(
        &self,
        instance: Instance,
        replaced: Replaced,
        since: Timestamp,
        back: bool,
    ) -> anyhow::Result<Done> {
        let again = crashed(&replaced);
        let Replaced { before, result, after } = replaced;
        if let Some(other) = self.runs_another(&after, back) {
            let why = format!("it runs release {other}, which it was not told to");
            return Ok(Done::from(Event::NotUp(instance, why)));
        }
        let new = after
            .invocation
            .clone()
            .filter(|_| after.invocation != before.invocation);
        let run = new.filter(|_| result.is_done() && after.activity.is_up());
        let up = run.is_some();
        if let (Some(id), false) = (run, again) {
            let done = Done::from(Event::Up(instance, id.clone()));
            let run = Some(Run { id, since });
            return Ok(Done { run, ..done });
        }
        let reason = Reason::of(&self.systemd, &after, &result, Some(since)).await;
        let why = if up {
            "it crashed, and came up only when systemd had started it again".to_owned()
        } else {
            reason.why.clone()
        };
        let done = Done::from(Event::NotUp(instance, why));
        Ok(Done {
            reason: Some(reason),
            ..done
        })
    }

    async fn replace(&self, unit: &str, shims: &mut Vec<(String, u32)>) -> anyhow::Result<Replaced> {
        let replace = Box::pin(self.systemd.replace(unit, self.up));
        let replaced = haste::during(replace, &self.app, unit).await?;
        shims.extend([&replaced.before, &replaced.after].into_iter().filter_map(main_process));
        Ok(replaced)
    }

    /// The release of an instance that is up, when it is another than it should be.
    fn runs_another(&self, state: &InstanceState, back: bool) -> Option<String> {
        let expected = self.swap.switching()?.expected(back)?;
        let release = release_of(state).filter(|_| state.activity.is_up())?;
        (release != *expected).then(|| release.to_string())
    }

    async fn take_down(&self, instance: Instance) -> anyhow::Result<Done> {
        let unit = units::instance(&self.app, instance);
        let before = self.systemd.instance(&unit).await?;
        // A stop that takes too long goes on in systemd, which kills at its own deadline.
        haste::during(self.systemd.stop(&unit, self.down), &self.app, &unit).await?;
        // One that had crashed would stay listed as failed.
        self.systemd.reset_failed(&unit).await?;
        Ok(Done {
            shims: main_process(&before).into_iter().collect(),
            ..Done::from(Event::Down(instance))
        })
    }
}

/// Whether the run that was asked for has ended meanwhile and this is a later one. systemd's count alone does not tell: it
/// keeps counting when the request met a unit that it was about to restart anyway. The shim's count begins anew with
/// each request.
fn crashed(Replaced { before, after, .. }: &Replaced) -> bool {
    let shim = after.status_text.parse::<ShimStatus>();
    after.restarts > before.restarts && !shim.is_ok_and(|shim| shim.crashes == 0)
}

impl From<Event> for Done {
    fn from(event: Event) -> Self {
        Self {
            event,
            run: None,
            reason: None,
            notes: Vec::new(),
            shims: Vec::new(),
        }
    }
}
