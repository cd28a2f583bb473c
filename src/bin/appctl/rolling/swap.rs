//! What a rollout swaps besides processes: the applied configuration. Every write can be repeated.

use appctl::host::bus::Systemd;
use appctl::host::files;
use appctl::host::record::{self, Texts};
use appctl::release::Layout;
use appctl::spec::AppName;

/// What a rollout puts in place, and back.
#[derive(Debug, Clone)]
pub(crate) enum Swap {
    /// Only processes are replaced.
    Nothing,
    /// `applied/NAME.toml` is replaced, and systemd reads its units again.
    Config(Texts),
}

impl Swap {
    /// The change of an earlier rollout, from what it left behind.
    pub(super) fn recalled(layout: &Layout, app: &AppName, staged: bool) -> anyhow::Result<Self> {
        Ok(if staged {
            Self::Config(record::read_texts(layout, app)?)
        } else {
            Self::Nothing
        })
    }

    /// Keeps what a later process needs in order to finish this or to take it back.
    pub(super) fn remember(&self, layout: &Layout, app: &AppName) -> anyhow::Result<()> {
        if let Self::Config(texts) = self {
            record::write_texts(layout, app, texts)?;
        }
        Ok(())
    }

    /// Puts the new state in place.
    pub(super) async fn stage(&self, layout: &Layout, app: &AppName, systemd: &Systemd) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Config(texts) => put(layout, app, systemd, texts.after.as_deref()).await,
        }
    }

    /// Puts the old state back.
    pub(super) async fn undo(&self, layout: &Layout, app: &AppName, systemd: &Systemd) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Config(texts) => put(layout, app, systemd, texts.before.as_deref()).await,
        }
    }
}

async fn put(layout: &Layout, app: &AppName, systemd: &Systemd, text: Option<&str>) -> anyhow::Result<()> {
    let path = layout.applied_file(app);
    match text {
        Some(text) => files::write_atomic(&path, text)?,
        None => drop(files::remove(&path)?),
    }
    Ok(systemd.reload().await?)
}
