//! Apps that cannot have their units: two that want one address, or one that is called like a part of the system.

use std::path::Path;

use appctl::spec::{AppName, Conflict, conflicts};
use appctl::unit;

use crate::kmsg::Complaints;
use crate::sources::Source;

/// Where packages put units. What we generate comes before these, so `ssh.toml` would replace the system's own ssh.
/// Units in /etc are the administrator's and come before ours anyway.
const PACKAGED: [&str; 3] = [
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// Drops every app that would hide a unit of a package.
pub(crate) fn drop_foreign_units(root: &Path, sources: &mut Vec<Source>, complaints: &mut Complaints) {
    sources.retain(|source| {
        let hidden = hidden_unit(root, &source.spec.name);
        if let Some(unit) = &hidden {
            complaints.add(&format!(
                "{}: ignored, it would hide {unit} of this system",
                source.path
            ));
        }
        hidden.is_none()
    });
}

fn hidden_unit(root: &Path, app: &AppName) -> Option<String> {
    let ours = [
        unit::service_name(app),
        unit::socket_name(app),
        unit::hold_name(app),
        unit::template_name(app),
        unit::retry_template(app),
    ];
    let exists = |name: &String| {
        PACKAGED
            .iter()
            .any(|directory| root.join(directory).join(name).exists())
    };
    ours.into_iter().find(exists)
}

/// Of apps that want one address only the first keeps its units: applied ones come first, then the order of names.
pub(crate) fn drop_taken_sockets(sources: &mut Vec<Source>, complaints: &mut Complaints) {
    // One at a time: dropping an app may settle what another one lost to it.
    while let Some(conflict) = first_conflict(sources) {
        if let Some(loser) = sources.iter().position(|source| source.spec.name == conflict.app) {
            let loser = sources.remove(loser);
            complaints.add(&format!("{}: ignored, {conflict}", loser.path));
        }
    }
}

fn first_conflict(sources: &[Source]) -> Option<Conflict> {
    let mut ranked: Vec<_> = sources.iter().collect();
    ranked.sort_by_key(|source| (!source.applied, &source.spec.name));
    let apps: Vec<_> = ranked.iter().map(|source| (&source.spec.name, &source.spec)).collect();
    conflicts(&apps).into_iter().next()
}
