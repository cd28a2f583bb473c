//! The last part of making a release: what was taken in, or built from it, is copied into a tree that is root's, linked
//! to what all releases have in common, recorded and renamed into its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use appctl::host::files::{self, FileError};
use appctl::host::releases;
use appctl::host::tree::{self, Owner};
use appctl::release::{Entry, Manifest, Origin, ReleaseId, Sort, hex};
use appctl::spec::AppSpec;
use appctl::unit::Purpose;
use sha2::{Digest as _, Sha256};

use super::copy::{self, Made};
use super::intake::{self, Intake};
use super::site::Site;
use super::{Commands, Progress, Staged, explain, run};
use crate::context::Context;
use crate::reading::Reader;
use crate::rolling;

/// Copies what was taken in, builds it when it is to be built, and seals it.
pub(super) async fn release(
    site: &Site<'_>,
    intake: Intake,
    force: bool,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<Staged> {
    let id = site.next_id(intake.commit.as_deref())?;
    let to_build = !site.spec.deploy.build.is_empty();
    let made = if to_build {
        copy::to_build(site, &intake).await?
    } else {
        copy::to_seal(site, &id, &intake.reader, intake.walk.clone()).await?
    };
    intake::notes(site, &intake, &made, tell);
    let digest = digest(&made.copied.manifest, site.spec);
    if !force && let Some(staged) = site.find(|origin| origin.digest == digest)? {
        return Ok(staged);
    }
    let made = if to_build {
        build(site, &id, made, tell).await?
    } else {
        made
    };
    finish(site, New { id, made, digest }, &intake, tell)
}

/// Runs the build where its source was copied, and seals what came of it.
async fn build(site: &Site<'_>, id: &ReleaseId, source: Made, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Made> {
    let commands = Commands {
        spec: site.spec,
        purpose: Purpose::Build,
        directory: &site.paths().release(id),
    };
    run(site.context, &commands, tell).await?;
    tell(Progress::Step("seal".to_owned()));
    let reader = Reader::given(site.context, source.partial.path(), None, site.bounds().bytes)?;
    copy::to_seal(site, id, &Arc::new(reader), intake::ALL).await
}

/// Seals a directory as it is: an app's first release.
pub(crate) async fn install(context: &Context, spec: &AppSpec, from: &Arc<Reader>) -> anyhow::Result<ReleaseId> {
    let site = Site::prepare(context, spec)?;
    let intake = Intake::of(Sort::Directory, Arc::clone(from));
    let id = site.next_id(None)?;
    let made = copy::to_seal(&site, &id, from, intake::ALL).await?;
    let digest = digest(&made.copied.manifest, spec);
    Ok(finish(&site, New { id, made, digest }, &intake, &mut drop)?.id)
}

/// A release that is written and has not its name yet.
struct New {
    id: ReleaseId,
    made: Made,
    /// Of what it was made from.
    digest: String,
}

fn finish(
    site: &Site<'_>,
    New { id, made, digest }: New,
    intake: &Intake,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<Staged> {
    let Made { partial, mut copied } = made;
    let paths = site.paths();
    share(site, partial.path(), &mut copied.manifest, tell)?;
    let origin = Origin {
        kind: intake.kind,
        source: intake.source.clone(),
        reference: intake.reference.clone(),
        commit: intake.commit.clone(),
        digest,
        recipe: recipe(site.spec),
        bytes: copied.bytes,
        entries: copied.entries,
        bytes_in_common: copied.in_common,
        who: rolling::who(),
        when: now(),
    };
    releases::record(paths, &id, &origin, &copied.manifest)?;
    let (release, folder) = (paths.release(&id), paths.releases());
    std::fs::rename(partial.path(), &release).map_err(FileError::io("create", &release))?;
    partial.keep();
    files::sync(&folder).map_err(FileError::io("flush", &folder))?;
    let existing = false;
    Ok(Staged { id, origin, existing })
}

/// Links what all releases have in common.
fn share(
    site: &Site<'_>,
    release: &Path,
    manifest: &mut Manifest,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<()> {
    if site.spec.deploy.shared.is_empty() {
        return Ok(());
    }
    let common = common(site)?;
    for shared in &site.spec.deploy.shared {
        let wanted = tree::Shared {
            path: &shared.path,
            directory: shared.directory,
        };
        let linked =
            tree::share(release, &common, wanted, site.owner).map_err(|error| explain::tree(error, site.app()))?;
        if linked.dangling {
            let path = common.join(&shared.path);
            tell(Progress::Note(format!(
                "{} is listed in `shared`, but does not exist yet",
                path.display()
            )));
        }
        manifest.replace(&shared.path, Entry::Link(linked.target.into()));
    }
    Ok(())
}

/// The directory of what is in common. systemd gives it to a transient user, and moves it to where it keeps the state of
/// such users.
fn common(site: &Site<'_>) -> anyhow::Result<PathBuf> {
    let common = site.paths().shared();
    if !common.exists() {
        std::fs::create_dir(&common).map_err(FileError::io("create", &common))?;
        if let Some(Owner { user, group }) = site.account {
            nix::unistd::chown(&common, Some(user), Some(group))?;
        }
    }
    Ok(common)
}

/// How a release is made of its source, and what else makes two releases of one source differ.
pub(super) fn recipe(spec: &AppSpec) -> String {
    let deploy = &spec.deploy;
    let env = if deploy.build.is_empty() {
        &[][..]
    } else {
        &spec.env[..]
    };
    let text = format!("{:?} {env:?} {:?}", deploy.build, deploy.shared);
    hex(&Sha256::digest(text.as_bytes()))
}

fn digest(source: &Manifest, spec: &AppSpec) -> String {
    let text = format!("{}\n{}", recipe(spec), source.content());
    hex(&Sha256::digest(text.as_bytes()))
}

/// To the second: the id of the release is no finer either.
fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
