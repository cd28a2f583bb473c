//! Names of an app's units, and how many instances it has here.

use std::path::Path;
use std::sync::OnceLock;

use appctl::host::machine::{self, Machine};
use appctl::spec::{AppName, AppSpec, Instance};
pub(crate) use appctl::unit::{
    hold_name as hold, instance_name as instance, instance_of, service_name as service, slice_name as slice,
    slice_path, socket_name as socket,
};

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

/// How many instances an app has on this machine.
pub(crate) fn count(spec: &AppSpec) -> u16 {
    spec.instances.count(machine().cpus)
}

/// This machine, looked at once.
pub(crate) fn machine() -> Machine {
    static MACHINE: OnceLock<Machine> = OnceLock::new();
    *MACHINE.get_or_init(|| machine::look(Path::new("/")))
}
