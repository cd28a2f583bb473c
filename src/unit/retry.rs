//! `NAME.retry@.service`: starts an instance once more that systemd itself could not start, when no shim has run that would
//! count and wait. The instance names it in `OnFailure=`, its own restarts being for crashes, and those are immediate.

use super::{Host, Section, UnitFile, installed, quote, retry_template, sandbox, service_name, slice_name};
use crate::contract::shim_args::COOLDOWN;
use crate::spec::AppSpec;

pub(super) fn render(spec: &AppSpec, host: &Host) -> UnitFile {
    UnitFile::new(
        retry_template(&spec.name),
        &host.source,
        [unit(spec, host), service(spec)],
    )
}

fn unit(spec: &AppSpec, host: &Host) -> Section {
    let name = &spec.name;
    let mut unit = Section::new("Unit");
    unit.set("Description", format_args!("Retry of {name} instance %i (appctl)"));
    unit.set("SourcePath", quote::rest_of_line_file(&host.source));
    // A stop of the app, or of the instance, during the pause ends this unit, too. A stop of the app does not pass
    // through an instance that has failed.
    unit.set("PartOf", service_name(name))
        .set("PartOf", format_args!("{name}@%i.service"));
    unit.set("CollectMode", "inactive-or-failed");
    unit
}

/// The command looks at what systemd tells of the instance that failed: nothing happens, or it waits before it starts it.
fn service(spec: &AppSpec) -> Section {
    let (shim, systemctl, name) = (installed::SHIM, installed::SYSTEMCTL, &spec.name);
    let mut service = Section::new("Service");
    // Otherwise systemd makes a slice for the units of this template, and leaves it.
    service.set("Slice", slice_name(&spec.name));
    service.set("Type", "oneshot");
    // Otherwise a unit of this type that is stopped during the pause counts as failed.
    service.set("SuccessExitStatus", "SIGTERM");
    sandbox::starter(&mut service);
    service.set(
        "ExecStart",
        format_args!("{shim} {COOLDOWN} {systemctl} --no-block start {name}@%i.service"),
    );
    service
}
