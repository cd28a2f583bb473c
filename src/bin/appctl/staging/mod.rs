//! From a source to a release: fetched, built, sealed and recorded, all in hidden places until the last rename. Which
//! release serves is decided elsewhere. The caller holds the app's lock. See `appctl deploy` in appctl(1).

use std::fmt;

use appctl::release::{Origin, ReleaseId};
use appctl::spec::AppSpec;

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

mod copy;
mod explain;
mod intake;
mod last;
mod partial;
mod seal;
mod site;
mod source;
mod task;

pub(crate) use seal::install;
pub(crate) use source::{Asked, Source};
pub(crate) use task::{Commands, run};

/// What a release is made from, and how.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Where its files come from.
    pub(crate) source: Source,
    /// Makes a release even when one with this content is there.
    pub(crate) force: bool,
}

/// A release that is ready to serve.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    /// Its name.
    pub(crate) id: ReleaseId,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// It was there before, with this content, and nothing was made.
    pub(crate) existing: bool,
}

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A step begins, said as in "copy /srv/app".
    Step(String),
    /// A line that a program of this step printed.
    Said(String),
    /// Something an operator should know; it stops nothing.
    Note(String),
}

/// As an operator reads it: what a program printed is set apart.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(text) | Self::Note(text) => f.write_str(text),
            Self::Said(text) => write!(f, "  | {text}"),
        }
    }
}

/// Removes what attempts left that were killed. The caller holds the app's lock.
pub(crate) fn sweep(context: &Context, spec: &AppSpec) -> anyhow::Result<()> {
    site::Site::prepare(context, spec).map(drop)
}

/// Makes a release, or finds the one that is the same. On failure, and when dropped half way, nothing is left behind.
pub(crate) async fn stage(
    context: &Context,
    spec: &AppSpec,
    wanted: &Wanted,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<Staged> {
    if let Some(directory) = &spec.directory {
        let message = format!("{} runs in place, in {}", spec.name, directory.display());
        let help = "restart it there with appctl rolling-restart; to deploy releases, remove `directory` from its file";
        return Err(ExpectedError::new(Exit::INVALID_CONFIG, message).help(help).into());
    }
    task::stop_leftovers(context, &spec.name).await?;
    let site = site::Site::prepare(context, spec)?;
    let intake = intake::take(&site, &wanted.source, tell).await?;
    if !wanted.force
        && let Some(staged) = site.same_commit(&intake)?
    {
        return Ok(staged);
    }
    let staged = seal::release(&site, intake, wanted.force, tell).await;
    staged.map_err(|error| explain::any(error, site.app()))
}
