//! From one release to another: which instance runs which, at every moment. Until the new release is final only those pinned
//! to it run it; then the others are pinned to the old one until it is their turn. A reset of the machine takes the pins
//! away, and everything starts on the one that is live.

use std::collections::{BTreeMap, BTreeSet};

use super::{Survey, World};
use crate::release::ReleaseId;
use crate::rollout::{Move, Outcome};
use crate::spec::Instance;

/// The change of the live release.
#[derive(Debug, Clone)]
pub struct Switching {
    /// Live before.
    pub from: Option<ReleaseId>,
    /// Live after.
    pub to: ReleaseId,
    /// How many instances there are.
    pub count: u16,
}

impl Switching {
    /// As it is recorded.
    pub(super) fn of(change: &Move, count: u16) -> Self {
        Self {
            from: change.from.clone(),
            to: change.to.clone(),
            count,
        }
    }

    pub(super) fn moves(&self) -> Move {
        Move {
            from: self.from.clone(),
            to: self.to.clone(),
        }
    }

    /// From its next start on the instance runs the new release.
    pub(super) fn pin(&self, world: &impl World, instance: Instance) -> anyhow::Result<()> {
        world.pin(instance, &self.to)
    }

    /// Makes the new release the live one. Whoever is not on it yet stays where it is until it is its turn; `on_it` are
    /// those that an earlier attempt has brought there.
    fn commit(&self, world: &impl World, on_it: &BTreeSet<Instance>) -> anyhow::Result<()> {
        if let Some(from) = &self.from {
            let pinned: BTreeMap<Instance, ReleaseId> = world.pins()?;
            let others = (1..=self.count).map(Instance::Number);
            for instance in others.filter(|instance| !pinned.contains_key(instance)) {
                let release = if on_it.contains(&instance) { &self.to } else { from };
                world.pin(instance, release)?;
            }
        }
        world.make_live(Some(&self.to))
    }

    /// The same, once it is known what every instance runs.
    pub(super) async fn make_final(&self, world: &impl World) -> anyhow::Result<()> {
        let regular = (1..=self.count).map(Instance::Number);
        let who: Vec<Instance> = regular.chain([Instance::Surge]).collect();
        let survey = Survey::of(world, &who).await?;
        self.commit(world, &survey.on_release(&self.to))
    }

    /// Makes the old release the live one again.
    pub(super) fn undo(&self, world: &impl World) -> anyhow::Result<()> {
        if world.live() != self.from {
            world.make_live(self.from.as_ref())?;
        }
        world.unpin_all()
    }

    /// What stays of a rollout that is over. `refused`: it failed for a reason beside the release.
    pub(super) fn end(&self, world: &impl World, outcome: &Outcome, refused: bool) -> anyhow::Result<()> {
        match outcome {
            Outcome::Done { .. } => {
                world.mark(&self.to, None)?;
                world.unpin_all()?;
            }
            Outcome::Kept(failure) | Outcome::WentBack(failure) | Outcome::Stopped { failure, .. } => {
                if failure.instance.is_some() && !refused {
                    world.mark(&self.to, Some(&failure.to_string()))?;
                }
            }
            Outcome::Interrupted { .. } | Outcome::Aborted { .. } => {}
        }
        Ok(())
    }

    /// The release an instance runs once it has been started on the way forward, or back.
    pub(super) fn expected(&self, back: bool) -> Option<&ReleaseId> {
        if back { self.from.as_ref() } else { Some(&self.to) }
    }
}
