//! What a rollout swaps besides processes: the applied configuration, or the release. Every write can be repeated.

use std::path::Path;

use appctl::host::bus::Systemd;
use appctl::host::files;
use appctl::host::record::{self, Texts};
use appctl::release::Layout;
use appctl::rollout::{Move, Record, Verb};
use appctl::spec::{AppName, Instance};

use super::config::write_applied;
use super::switch::Switching;

/// What a rollout puts in place, and back.
#[derive(Debug, Clone)]
pub(crate) enum Swap {
    /// Only processes are replaced.
    Nothing,
    /// `applied/NAME.toml` is replaced, and systemd reads its units again.
    Config {
        /// Before and after.
        texts: Texts,
        /// Whether `apps/NAME.toml` goes the same way: nobody has edited it.
        wanted: bool,
    },
    /// `current` is replaced, and instances are pinned meanwhile.
    Release(Switching),
}

impl Swap {
    /// The change of an earlier rollout, from what it left behind.
    pub(super) fn recalled(layout: &Layout, app: &AppName, record: &Record, count: u16) -> anyhow::Result<Self> {
        if let Some(change) = &record.about.release {
            return Ok(Self::Release(Switching::of(change, count)));
        }
        if !record.rollout.request().switch.stage {
            return Ok(Self::Nothing);
        }
        let texts = record::read_texts(layout, app)?;
        let wanted = record.rollout.verb() == Verb::Scale;
        Ok(Self::Config { texts, wanted })
    }

    /// Keeps what a later process needs in order to finish this or to take it back.
    pub(super) fn remember(&self, layout: &Layout, app: &AppName) -> anyhow::Result<()> {
        if let Self::Config { texts, .. } = self {
            record::write_texts(layout, app, texts)?;
        }
        Ok(())
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
    pub(super) async fn stage(&self, layout: &Layout, app: &AppName, systemd: &Systemd) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Config { texts, wanted } => {
                if *wanted {
                    follow(
                        &layout.wanted_file(app),
                        texts.before.as_deref(),
                        texts.after.as_deref(),
                    )?;
                }
                put(
                    layout,
                    app,
                    systemd,
                    (texts.after.as_deref(), texts.env_after.as_deref()),
                )
                .await
            }
            Self::Release(switching) => switching.pin(layout, app, Instance::Surge),
        }
    }

    /// Makes the new state final.
    pub(super) async fn commit(&self, layout: &Layout, app: &AppName, systemd: &Systemd) -> anyhow::Result<()> {
        match self.switching() {
            Some(switching) => switching.make_final(layout, app, systemd).await,
            None => Ok(()),
        }
    }

    /// Puts the old state back.
    pub(super) async fn undo(&self, layout: &Layout, app: &AppName, systemd: &Systemd) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Config { texts, wanted } => {
                if *wanted {
                    follow(
                        &layout.wanted_file(app),
                        texts.after.as_deref(),
                        texts.before.as_deref(),
                    )?;
                }
                put(
                    layout,
                    app,
                    systemd,
                    (texts.before.as_deref(), texts.env_before.as_deref()),
                )
                .await
            }
            Self::Release(switching) => switching.undo(layout, app),
        }
    }
}

/// Replaces a file of the operator, unless it was edited meanwhile.
fn follow(path: &Path, from: Option<&str>, to: Option<&str>) -> anyhow::Result<()> {
    if let Some(to) = to.filter(|_| from.is_some())
        && files::read_config_if_any(path)?.as_deref() == from
    {
        files::write_atomic(path, to)?;
    }
    Ok(())
}

async fn put(
    layout: &Layout,
    app: &AppName,
    systemd: &Systemd,
    texts: (Option<&str>, Option<&str>),
) -> anyhow::Result<()> {
    if let (Some(text), env) = texts {
        write_applied(layout, app, text, env)?;
    } else {
        files::remove(&layout.applied_file(app))?;
        files::remove(&layout.applied_env_file(app))?;
    }
    Ok(systemd.reload().await?)
}
