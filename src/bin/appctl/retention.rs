//! Which releases of an app are in use, and the removal of the others. The caller holds the app's lock.

use std::collections::BTreeSet;

use appctl::host::bus::Systemd;
use appctl::host::files::{self, FileError};
use appctl::host::{bad, cgroupfs, pins, record, releases, survey};
use appctl::release::{ReleaseId, Stock};
use appctl::rollout::Verb;
use appctl::spec::{AppName, AppSpec};

use crate::clear::clear;
use crate::context::Context;
use crate::units;

/// All that is known of an app's releases.
pub(crate) fn stock(context: &Context, app: &AppName) -> anyhow::Result<Stock> {
    let paths = context.layout.of(app);
    let all = releases::list(paths)?;
    let mut failed = BTreeSet::new();
    for id in &all {
        if bad::why(paths, id)?.is_some() {
            failed.insert(id.clone());
        }
    }
    let live = releases::live(paths);
    let last = record::read_release(paths)?.filter(|record| record.rollout.verb() == Verb::Deploy);
    let change = last.and_then(|record| record.about.release);
    let before = change
        .filter(|change| live.as_ref() == Some(&change.to))
        .and_then(|change| change.from);
    Ok(Stock {
        all,
        live,
        before,
        bad: failed,
    })
}

/// What may be removed when `keep` are to stay.
pub(crate) async fn prunable(
    context: &Context,
    systemd: &Systemd,
    spec: &AppSpec,
    keep: usize,
) -> anyhow::Result<Vec<ReleaseId>> {
    let stock = stock(context, &spec.name)?;
    let mut used = in_use(context, systemd, spec).await?;
    used.extend(stock.live.iter().chain(stock.back(1)).cloned());
    Ok(stock.prunable(&used, keep))
}

/// Removes a release. It is hidden first: nobody ever sees half of one.
pub(crate) fn remove(context: &Context, app: &AppName, id: &ReleaseId) -> anyhow::Result<()> {
    let paths = context.layout.of(app);
    let hidden = paths.releases().join(format!(".{id}"));
    clear(&hidden)?;
    let release = paths.release(id);
    std::fs::rename(&release, &hidden).map_err(FileError::io("remove", &release))?;
    files::sync(&paths.releases()).map_err(FileError::io("flush", &release))?;
    clear(&hidden)?;
    releases::forget(paths, id)?;
    Ok(bad::clear(paths, id)?)
}

/// Releases that instances run, whatever these are doing, are pinned to, or would be taken back to.
async fn in_use(context: &Context, systemd: &Systemd, spec: &AppSpec) -> anyhow::Result<BTreeSet<ReleaseId>> {
    let (paths, app) = (context.layout.of(&spec.name), &spec.name);
    let mut used: BTreeSet<ReleaseId> = pins::all(paths)?.into_values().collect();
    let survey = survey::all(systemd, app).await?;
    used.extend(survey.releases());
    if let Some(change) = record::read_release(paths)?.and_then(|record| record.about.release) {
        used.extend(change.from.into_iter().chain([change.to]));
    }
    // Also what a process has that its shim knows nothing of.
    let folder = paths.releases();
    for pid in cgroupfs::processes(&units::slice_path(app)) {
        let place = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let below = place.strip_prefix(&folder).ok().and_then(|below| below.iter().next());
        used.extend(below.and_then(|id| id.to_str()?.parse().ok()));
    }
    Ok(used)
}
