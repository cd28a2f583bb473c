//! What a rollout swaps besides processes: the applied configuration, or the release. Every write can be repeated.

use super::{Switching, World};
use crate::rollout::{Move, Record, Verb};
use crate::spec::Instance;

/// What a rollout puts in place, and back.
#[derive(Debug, Clone)]
pub enum Swap {
    /// Only processes are replaced.
    Nothing,
    /// The configuration in force is replaced, and systemd reads its units again.
    Config {
        /// Before and after.
        texts: Texts,
        /// Whether the operator's own file goes the same way: it was not edited.
        wanted: bool,
    },
    /// The live release is replaced, and instances are pinned meanwhile.
    Release(Switching),
}

/// What a change of configuration replaces, and what by; `None` is no file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// The applied file before.
    pub before: Option<String>,
    /// The applied file after.
    pub after: Option<String>,
    /// What `appctl env` keeps, before.
    pub env_before: Option<String>,
    /// And after.
    pub env_after: Option<String>,
}

impl Swap {
    /// The change of an earlier rollout, of an app with `count` instances, from what it left behind.
    pub(super) fn recalled(world: &impl World, record: &Record, count: u16) -> anyhow::Result<Self> {
        if let Some(change) = &record.about.release {
            return Ok(Self::Release(Switching::of(change, count)));
        }
        if !record.rollout.request().switch.stage {
            return Ok(Self::Nothing);
        }
        let texts = world.recall()?;
        let wanted = record.rollout.verb() == Verb::Scale;
        Ok(Self::Config { texts, wanted })
    }

    /// Keeps what a later process needs in order to finish this or to take it back.
    pub(super) fn remember(&self, world: &impl World) -> anyhow::Result<()> {
        match self {
            Self::Config { texts, .. } => world.remember(texts),
            Self::Nothing | Self::Release(_) => Ok(()),
        }
    }

    /// The releases it is about.
    pub(super) fn moves(&self) -> Option<Move> {
        self.switching().map(Switching::moves)
    }

    /// The change of the release, when it is one.
    pub(super) fn switching(&self) -> Option<&Switching> {
        match self {
            Self::Release(switching) => Some(switching),
            Self::Nothing | Self::Config { .. } => None,
        }
    }

    /// Puts the new state in place, for the first instance that starts.
    pub(super) async fn stage(&self, world: &impl World) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Config { texts, wanted } => put(world, &texts.before(), &texts.after(), *wanted).await,
            Self::Release(switching) => switching.pin(world, Instance::Surge),
        }
    }

    /// Makes the new state final.
    pub(super) async fn commit(&self, world: &impl World) -> anyhow::Result<()> {
        match self.switching() {
            Some(switching) => switching.make_final(world).await,
            None => Ok(()),
        }
    }

    /// Puts the old state back.
    pub(super) async fn undo(&self, world: &impl World) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Config { texts, wanted } => put(world, &texts.after(), &texts.before(), *wanted).await,
            Self::Release(switching) => switching.undo(world),
        }
    }
}

/// One of two configurations. Without a text there is none.
struct Side<'a> {
    text: Option<&'a str>,
    env: Option<&'a str>,
}

impl Texts {
    fn before(&self) -> Side<'_> {
        Side {
            text: self.before.as_deref(),
            env: self.env_before.as_deref(),
        }
    }

    fn after(&self) -> Side<'_> {
        Side {
            text: self.after.as_deref(),
            env: self.env_after.as_deref(),
        }
    }
}

async fn put(world: &impl World, from: &Side<'_>, to: &Side<'_>, wanted: bool) -> anyhow::Result<()> {
    if wanted {
        world.follow(from.text, to.text)?;
    }
    world.apply(to.text, to.env.filter(|_| to.text.is_some()))?;
    world.reload().await
}
