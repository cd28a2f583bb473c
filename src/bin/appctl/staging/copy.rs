//! The two copies on a source's way: into the directory it is built in, which is the app's, and into the tree that becomes
//! a release, which is root's and shares its files with the release before.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use appctl::host::releases;
use appctl::host::source::Ask;
use appctl::host::tree::{self, Access, Before, Bounds, Copied, Owner, Plan};
use appctl::release::{Manifest, ReleaseId};

use super::intake::Intake;
use super::partial::Partial;
use super::site::Site;
use crate::reading::Reader;

/// A copy in a hidden place.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) partial: Partial,
    pub(super) copied: Copied,
}

/// What a thread of its own is given.
struct Job {
    from: Arc<Reader>,
    walk: Ask,
    to: PathBuf,
    owner: Option<Owner>,
    bounds: Bounds,
}

/// Copies a tree to where its release will be.
pub(super) async fn to_seal(site: &Site<'_>, id: &ReleaseId, from: &Arc<Reader>, walk: Ask) -> anyhow::Result<Made> {
    let paths = site.paths();
    let partial = Partial::new(paths.releases().join(format!(".{id}")));
    let job = Job::new(site, (from, walk), &partial, site.owner);
    let before = match site.before()? {
        Some(id) => open(&paths.release(&id)).map(|directory| (directory, releases::manifest(paths, &id))),
        None => None,
    };
    let before = before.map(|(directory, manifest)| manifest.map(|manifest| (directory, manifest)));
    let before = before.transpose()?;
    let copied = partial
        .fill(move |stop| job.run(Access::Sealed, before.as_ref(), stop))
        .await?;
    Ok(Made { partial, copied })
}

/// Copies a source to where it is built. systemd gives the directory to a transient account, and keeps it elsewhere then.
pub(super) async fn to_build(site: &Site<'_>, intake: &Intake) -> anyhow::Result<Made> {
    let [build, private] = site.build();
    let partial = Partial::new(build).and(private);
    let owner = site.account.or(site.owner);
    let job = Job::new(site, (&intake.reader, intake.walk.clone()), &partial, owner);
    let copied = partial.fill(move |stop| job.run(Access::Private, None, stop)).await?;
    Ok(Made { partial, copied })
}

fn open(directory: &Path) -> Option<OwnedFd> {
    File::open(directory).ok().map(Into::into)
}

impl Job {
    fn new(site: &Site<'_>, (from, walk): (&Arc<Reader>, Ask), to: &Partial, owner: Option<Owner>) -> Self {
        Self {
            from: Arc::clone(from),
            walk,
            to: to.path().to_owned(),
            owner,
            bounds: site.bounds(),
        }
    }

    fn run(self, access: Access, before: Option<&(OwnedFd, Manifest)>, stop: &AtomicBool) -> anyhow::Result<Copied> {
        let plan = Plan {
            owner: self.owner,
            access,
            bounds: self.bounds,
            before: before.map(|(directory, manifest)| Before { directory, manifest }),
            stop,
        };
        let events = self.from.walk(&self.walk, stop)?;
        Ok(tree::copy(events, &self.to, plan)?)
    }
}
