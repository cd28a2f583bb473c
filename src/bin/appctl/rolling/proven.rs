//! How long the first new instance of a rolling restart has to prove itself. What runs has done that already where nothing
//! it starts from has changed since: then only processes are exchanged, and nothing is gained by watching one for longer.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use appctl::contract::ShimStatus;
use appctl::drive::Survey;
use appctl::host::releases;
use appctl::observe::{maps, reported_release};
use appctl::release::Layout;
use appctl::spec::{AppSpec, Instance};

use crate::units;

/// Where administrators change units, systemd.unit(5).
const DROP_INS: [&str; 2] = ["/etc/systemd/system", "/run/systemd/system"];

/// The app's settle time, or none.
pub(crate) fn settle(spec: &AppSpec, layout: &Layout, survey: &Survey) -> Duration {
    match survey.oldest_run() {
        Some(since) if runs_live_release(spec, layout, survey) && !changed_since(spec, layout, since) => Duration::ZERO,
        _ => spec.ready.settle,
    }
}

/// A directory that the app runs in place may hold anything by now; a release is sealed.
fn runs_live_release(spec: &AppSpec, layout: &Layout, survey: &Survey) -> bool {
    let live = releases::live(layout.of(&spec.name)).filter(|_| spec.directory.is_none());
    let same = |shim: &ShimStatus| {
        let release = reported_release(shim);
        live.is_some() && release == live && !upgraded(shim.pid)
    };
    let shims: Vec<Option<ShimStatus>> = survey.shims().collect();
    !shims.is_empty() && shims.iter().all(|shim| shim.as_ref().is_some_and(same))
}

/// What cannot be read may have changed.
fn upgraded(pid: Option<u32>) -> bool {
    let maps = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/maps")).ok());
    maps.is_none_or(|maps| maps::replaced(&maps))
}

fn changed_since(spec: &AppSpec, layout: &Layout, since: Duration) -> bool {
    let files = spec.env_files.iter().map(|file| file.path.clone());
    let mut paths: Vec<PathBuf> = files.chain([layout.of(&spec.name).applied_file()]).collect();
    let all = [Instance::Surge]
        .into_iter()
        .chain((1..=units::count(spec)).map(Instance::Number));
    let names = all.map(|instance| units::instance(&spec.name, instance));
    for name in names.chain([format!("{}@.service", spec.name)]) {
        paths.extend(
            DROP_INS
                .iter()
                .flat_map(|folder| drop_ins(&Path::new(folder).join(format!("{name}.d")))),
        );
    }
    paths.iter().any(|path| is_newer(path, since))
}

/// The folder itself shows what was taken out of it.
fn drop_ins(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|entry| entry.path()).chain([folder.to_owned()]).collect()
}

fn is_newer(path: &Path, since: Duration) -> bool {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time >= SystemTime::UNIX_EPOCH + since)
}
