//! A directory of this machine, as it is but for what ignore files leave out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use appctl::host::source::Ask;
use appctl::host::tree;
use appctl::release::Sort;

use super::super::copy::Made;
use super::super::site::Site;
use super::super::{Progress, explain};
use super::Intake;
use crate::reading::Reader;

/// Names that are told before it gets too much.
const TOLD: usize = 8;
/// Largest `package.json`.
const LARGEST: u64 = 1 << 20;

pub(super) fn take(site: &Site<'_>, reader: Reader, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    let path = reader.path();
    let state = site.paths().layout().all_state();
    if state.canonicalize().unwrap_or(state).starts_with(path) {
        let message = format!("{} contains the releases of all apps", path.display());
        return Err(explain::source(message, "name the app's own directory"));
    }
    tell(Progress::Step(format!("copy {}", path.display())));
    Ok(Intake {
        // Without a build nothing would bring the packages back.
        walk: Ask::Walk(true, site.spec.deploy.build.is_empty()),
        ..Intake::of(Sort::Directory, Arc::new(reader))
    })
}

/// What the operator may not expect of a copy.
pub(in super::super) fn notes(site: &Site<'_>, intake: &Intake, made: &Made, tell: &mut dyn FnMut(Progress)) {
    let Made { partial, copied } = made;
    if intake.kind != Sort::Directory {
        return;
    }
    if !copied.left_out.is_empty() {
        tell(Progress::Note(left_out(&copied.left_out)));
    }
    let has_packages = ["node_modules", ".pnp.cjs"]
        .iter()
        .any(|name| copied.manifest.get(Path::new(name)).is_some());
    if site.spec.deploy.build.is_empty() && !has_packages && names_packages(partial.path()) {
        let note = "package.json lists dependencies, but there is neither node_modules nor a build step; to install \
            them, set build = [\"npm\", \"ci\"] below [deploy] in the app's file";
        tell(Progress::Note(note.to_owned()));
    }
}

fn left_out(paths: &[PathBuf]) -> String {
    let told: Vec<String> = paths.iter().take(TOLD).map(|path| path.display().to_string()).collect();
    let more = match paths.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let told = told.join(", ");
    format!("left out by ignore files: {told}{more} (a line !NAME in .appctlignore includes NAME)")
}

fn names_packages(release: &Path) -> bool {
    let text = tree::read_beneath(release, Path::new("package.json"), LARGEST)
        .ok()
        .flatten();
    let package: Option<serde_json::Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    let packages = package.as_ref().and_then(|package| package["dependencies"].as_object());
    packages.is_some_and(|packages| !packages.is_empty())
}
