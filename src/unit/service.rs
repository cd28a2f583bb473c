//! `NAME.service`: the app as a whole, so that `systemctl start|stop|restart|reload|status NAME` mean what they say.

use super::instance::{GRACE, seconds};
use super::{Host, Section, UnitFile, hold_name, installed, quote, sandbox, service_name, slice_name, socket_name};
use crate::spec::{AppSpec, Instance};

pub(super) fn render(spec: &AppSpec, host: &Host) -> UnitFile {
    let sections = [unit(spec, host), service(spec)];
    UnitFile::new(service_name(&spec.name), &host.source, sections)
}

fn unit(spec: &AppSpec, host: &Host) -> Section {
    let name = &spec.name;
    let mut unit = Section::new("Unit");
    unit.set("Description", format_args!("{name} (appctl)"));
    unit.set("SourcePath", quote::rest_of_line_file(&host.source));
    if !spec.listen.is_empty() {
        unit.set("Requires", socket_name(name)).set("After", socket_name(name));
        unit.set("Wants", hold_name(name));
    }
    let instances = (1..=spec.instances.count(host.cpus)).map(Instance::Number);
    // One line each: no line grows with the number of instances, and a diff of two files reads as a scale.
    unit.each("Wants", instances.map(|instance| format!("{name}@{instance}.service")));
    // An operator's quick restarts are no reason to refuse one.
    unit.set("StartLimitIntervalSec", 0);
    unit
}

fn service(spec: &AppSpec) -> Section {
    let mut service = Section::new("Service");
    service.set("Slice", slice_name(&spec.name));
    service.set("Type", "oneshot").set("RemainAfterExit", "yes");
    service.set("ExecStart", "/bin/true");
    // So that `systemctl stop` and `restart` return when the instances have drained. An order between the units would do
    // that as well, but then no instance starts before the last has drained, and a reload waits for itself.
    service.set("ExecStop", format_args!("-{} drained", installed::SHIM));
    // Each instance has its own time, for the signal and once more for the kill.
    let instances = 2 * (spec.stop.timeout + GRACE);
    service.set("TimeoutStopSec", seconds(instances + GRACE));
    sandbox::idle(&mut service);
    service.set(
        "ExecReload",
        format_args!("+{} rolling-restart {}", installed::APPCTL, spec.name),
    );
    // A rollout ends by its own deadlines; systemd's default must not kill it half way.
    service.set("TimeoutStartSec", "infinity");
    service
}

#[cfg(test)]
mod tests {
    use crate::spec::{AppSpec, Instances};
    use crate::unit::Host;
    use crate::unit::samples::{host, spec};

    fn wanted(instances: Instances, cpus: u16) -> Vec<String> {
        let text = super::render(
            &AppSpec {
                instances,
                ..spec("web")
            },
            &Host { cpus, ..host() },
        )
        .to_string();
        text.lines()
            .filter_map(|line| line.strip_prefix("Wants="))
            .filter(|unit| unit.contains('@'))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn starts_as_many_instances_as_asked_for() {
        assert_eq!(wanted(Instances::Fixed(2), 8), ["web@1.service", "web@2.service"]);
        assert_eq!(wanted(Instances::Max { less: 1 }, 3).len(), 2);
        assert_eq!(wanted(Instances::Max { less: 9 }, 3).len(), 1);
    }
}
