//! One step, carried out: the world is asked, and the answer verified.

use super::around::{Hooks, Moment};
use super::bring_up::Attempt;
use super::done::{Done, main_process};
use super::{Swap, World};
use crate::rollout::{Event, Step, Task};
use crate::spec::{Adapter, AppSpec, Instance};

/// Everything a step needs.
#[derive(Debug)]
pub(super) struct Work<'a, W> {
    pub(super) world: &'a W,
    pub(super) swap: Swap,
    pub(super) hooks: Hooks,
    /// Most percent of errors while it is watched.
    pub(super) errors: Option<u32>,
    /// Whether an adapter counts requests.
    pub(super) counted: bool,
}

impl<W> Clone for Work<'_, W> {
    fn clone(&self) -> Self {
        Self {
            world: self.world,
            swap: self.swap.clone(),
            hooks: self.hooks.clone(),
            ..*self
        }
    }
}

impl<'a, W: World> Work<'a, W> {
    pub(super) fn new(world: &'a W, spec: &AppSpec, swap: Swap) -> Self {
        Self {
            world,
            hooks: Hooks::of(spec),
            errors: spec.deploy.errors,
            counted: spec.adapter == Adapter::Node,
            swap,
        }
    }

    /// Carries out a step, forward or back. May be dropped only while it waits in [`Step::Settle`] or [`Step::Bake`].
    pub(super) async fn carry_out(self, step: Step, back: bool) -> anyhow::Result<Done> {
        let event = match step {
            Step::Stage => switched(self.swap.stage(self.world).await),
            Step::Commit => switched(self.swap.commit(self.world).await),
            Step::Undo => match self.swap.undo(self.world).await {
                Ok(()) => Event::Undone,
                Err(error) => Event::NotUndone(format!("{error:#}")),
            },
            Step::Run(task) => return self.run(task, back).await,
            Step::Settle(time) => {
                self.world.sleep(time).await;
                Event::Settled
            }
            Step::Bake { time, .. } => {
                self.world.sleep(time).await;
                Event::Baked
            }
            Step::Continue | Step::Finish(_) => std::future::pending().await,
        };
        Ok(Done::from(event))
    }

    /// One instance's part, between the operator's own commands. Nothing may hold up the way back.
    async fn run(&self, task: Task, back: bool) -> anyhow::Result<Done> {
        let (instance, swap) = (task.instance(), &self.swap);
        let moment = Moment { task, back, swap };
        let before = self.hooks.before_instance(self.world, &moment).await;
        if let (Err(why), false) = (&before, back) {
            return Ok(Done::from(Event::Refused(instance, why.clone())));
        }
        let mut done = if task.brings_up() {
            Attempt { instance, back, swap }.make(self.world).await?
        } else {
            self.take_down(instance).await?
        };
        let after = self.hooks.after_instance(self.world, &moment).await;
        done.notes.extend(before.err().into_iter().chain(after.err()));
        Ok(done)
    }

    async fn take_down(&self, instance: Instance) -> anyhow::Result<Done> {
        let before = self.world.instances(&[instance]).await?;
        // A stop that takes too long goes on in systemd, which kills at its own deadline.
        self.world.stop(instance).await?;
        Ok(Done {
            shims: before.iter().filter_map(main_process).collect(),
            ..Done::from(Event::Down(instance))
        })
    }
}

fn switched(result: anyhow::Result<()>) -> Event {
    match result {
        Ok(()) => Event::Switched,
        Err(error) => Event::NotSwitched(format!("{error:#}")),
    }
}
