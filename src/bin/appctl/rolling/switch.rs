//! From one release to another: which instance runs which, at every moment. Until the new release is final only those pinned
//! to it run it; then the others are pinned to the old one until it is their turn. A reset of the machine takes the pins
//! away, and everything starts on the one that is live.

use std::collections::{BTreeMap, BTreeSet};

use appctl::host::bus::Systemd;
use appctl::host::{bad, pins, releases};
use appctl::release::{Layout, ReleaseId};
use appctl::rollout::{Move, Outcome};
use appctl::spec::{AppName, Instance};

use super::Survey;

/// The change of the live release.
#[derive(Debug, Clone)]
pub(crate) struct Switching {
    /// Live before.
    pub(crate) from: Option<ReleaseId>,
    /// Live after.
    pub(crate) to: ReleaseId,
    /// How many instances there are.
    pub(crate) count: u16,
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
    pub(super) fn pin(&self, layout: &Layout, app: &AppName, instance: Instance) -> anyhow::Result<()> {
        Ok(pins::pin(layout, app, instance, &self.to)?)
    }

    /// Makes the new release the live one. Whoever is not on it yet stays where it is until it is its turn; `on_it` are
    /// those that an earlier attempt has brought there.
    fn commit(&self, layout: &Layout, app: &AppName, on_it: &BTreeSet<Instance>) -> anyhow::Result<()> {
        if let Some(from) = &self.from {
            let pinned: BTreeMap<Instance, ReleaseId> = pins::all(layout, app)?;
            let others = (1..=self.count).map(Instance::Number);
            for instance in others.filter(|instance| !pinned.contains_key(instance)) {
                let release = if on_it.contains(&instance) { &self.to } else { from };
                pins::pin(layout, app, instance, release)?;
            }
        }
        Ok(pins::make_live(layout, app, Some(&self.to))?)
    }

    /// The same, once it is known what every instance runs.
    pub(super) async fn make_final(&self, layout: &Layout, app: &AppName, systemd: &Systemd) -> anyhow::Result<()> {
        let survey = Survey::take(systemd, app, self.count).await?;
        self.commit(layout, app, &survey.on_release(&self.to))
    }

    /// Makes the old release the live one again.
    pub(super) fn undo(&self, layout: &Layout, app: &AppName) -> anyhow::Result<()> {
        if releases::live(layout, app) != self.from {
            pins::make_live(layout, app, self.from.as_ref())?;
        }
        Ok(pins::unpin_all(layout, app)?)
    }

    /// What stays of a rollout that is over. `refused`: it failed for a reason beside the release.
    pub(super) fn end(&self, layout: &Layout, app: &AppName, outcome: &Outcome, refused: bool) -> anyhow::Result<()> {
        match outcome {
            Outcome::Done { .. } => {
                bad::clear(layout, app, &self.to)?;
                pins::unpin_all(layout, app)?;
            }
            Outcome::Kept(failure) | Outcome::WentBack(failure) | Outcome::Stopped { failure, .. } => {
                if failure.instance.is_some() && !refused {
                    bad::mark(layout, app, &self.to, &failure.to_string())?;
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
