//! Names of an app's units, and how many instances it has here.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use appctl::host::machine::{self, Machine};
use appctl::observe::ShimStatus;
use appctl::release::ReleaseId;
use appctl::spec::{AppName, AppSpec, Instance};
pub(crate) use appctl::unit::{hold_name as hold, service_name as service, slice_name as slice, socket_name as socket};

/// One instance.
pub(crate) fn instance(app: &AppName, instance: Instance) -> String {
    format!("{app}@{instance}.service")
}

/// Instances 1 to `count`, and the surge.
pub(crate) fn instances(app: &AppName, count: u16) -> Vec<String> {
    let numbers = (1..=count).map(Instance::Number);
    numbers
        .chain([Instance::Surge])
        .map(|number| instance(app, number))
        .collect()
}

/// The app's own unit, and instances 1 to `count`.
pub(crate) fn whole(app: &AppName, count: u16) -> Vec<String> {
    let numbers = (1..=count).map(|number| instance(app, Instance::Number(number)));
    std::iter::once(service(app)).chain(numbers).collect()
}

/// The instance of a unit of this app.
pub(crate) fn instance_of(app: &AppName, unit: &str) -> Option<Instance> {
    let rest = unit.strip_prefix(app.as_str())?.strip_prefix('@')?;
    rest.strip_suffix(".service")?.parse().ok()
}

/// The slice as a path of control groups.
pub(crate) fn slice_path(app: &AppName) -> PathBuf {
    PathBuf::from("appctl.slice").join(slice(app))
}

/// How many instances an app has on this machine.
pub(crate) fn count(spec: &AppSpec) -> u16 {
    spec.instances.count(machine().cpus)
}

/// This machine, looked at once.
pub(crate) fn machine() -> Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    *MACHINE.get_or_init(|| machine::look(Path::new("/")))
}

/// The release that a shim says to run, when that is the name of one.
pub(crate) fn reported(shim: &ShimStatus) -> Option<ReleaseId> {
    shim.release.as_deref()?.parse().ok()
}
