//! Apps that cannot have their units: two that want one address, or one that is called like a part of the system.

use std::path::Path;

use appctl::host::foreign::{Place, UnitFiles};
use appctl::spec::{Conflict, conflicts};

use crate::kmsg::Complaints;
use crate::sources::Source;

/// Drops every app that would hide a unit of a package, and every one that was never applied and is called like a unit of
/// the administrator, which comes before ours anyway. An app that runs keeps its units whatever appears in /etc: without
/// them its port would close.
pub(crate) fn drop_foreign_units(root: &Path, sources: &mut Vec<Source>, complaints: &mut Complaints) {
    // What other generators write at this moment may be there or not.
    let files = UnitFiles::look(root, |place| place != Place::Made);
    sources.retain(|source| {
        let Some(taken) = files.foreign(&source.spec.name) else {
            return true;
        };
        let (path, unit, other) = (&source.path, &taken.unit, taken.path.display());
        match (taken.place, source.applied) {
            (Place::Packaged, _) => complaints.add(&format!(
                "{path}: ignored, since it would hide {unit} of this \
                system"
            )),
            (_, false) => complaints.add(&format!("{path}: ignored, since {other} exists and is not from appctl")),
            (_, true) => {
                complaints.add(&format!("{path}: {other} overrides its {unit}"));
                return true;
            }
        }
        false
    });
}

/// Of apps that want one address only the first keeps its units: applied ones come first, then the order of names.
pub(crate) fn drop_taken_sockets(sources: &mut Vec<Source>, complaints: &mut Complaints) {
    // One at a time: dropping an app may settle what another one lost to it.
    while let Some(conflict) = first_conflict(sources) {
        if let Some(loser) = sources.iter().position(|source| source.spec.name == conflict.app) {
            let loser = sources.remove(loser);
            complaints.add(&format!("{}: ignored, since {conflict}", loser.path));
        }
    }
}

fn first_conflict(sources: &[Source]) -> Option<Conflict> {
    let mut ranked: Vec<_> = sources.iter().collect();
    ranked.sort_by_key(|source| (!source.applied, &source.spec.name));
    let apps: Vec<_> = ranked.iter().map(|source| (&source.spec.name, &source.spec)).collect();
    conflicts(&apps).into_iter().next()
}
