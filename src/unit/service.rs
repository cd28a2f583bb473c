//! `NAME.service`: the app as a whole, so that `systemctl start|stop|restart|reload|status NAME` mean what they say.

use super::instance::seconds;
use super::{Host, Section, UnitFile, hold_name, installed, quote, sandbox, service_name, slice_name, socket_name};
use crate::contract::shim_args::DRAINED;
use crate::contract::times;
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
    service.set("ExecStop", format_args!("-{} {DRAINED}", installed::SHIM));
    service.set("TimeoutStopSec", seconds(times::app_stop_limit(spec)));
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
    use std::time::Duration;

    use proptest::prelude::*;

    use crate::contract::times;
    use crate::spec::{AppSpec, Instances, parse_span};
    use crate::unit::samples::{host, spec};
    use crate::unit::{Host, UnitFile, instance};

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

    fn written(unit: &UnitFile, key: &str) -> Duration {
        let text = unit.to_string();
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        parse_span(value.expect("a line")).expect("a time span")
    }

    proptest! {
        #[test]
        fn every_wait_is_longer_than_what_it_waits_for(
            ready in 1_u64..10_000_000,
            stop in 1_u64..10_000_000,
            pause in 1_u64..10_000_000,
        ) {
            let mut app = spec("web");
            app.ready.timeout = Duration::from_millis(ready);
            app.stop.timeout = Duration::from_millis(stop);
            app.restart.max_delay = Duration::from_millis(pause);
            let (one, all) = (instance::render(&app, &host()), super::render(&app, &host()));
            // systemd: for the shim, and once more for the kill.
            let end = 2 * written(&one, "TimeoutStopSec");
            let last_words = Duration::from_millis(times::FAILED_MS + times::REAP_MS);
            prop_assert!(app.ready.timeout + last_words <= written(&one, "TimeoutStartSec"));
            prop_assert!(app.stop.timeout + Duration::from_millis(times::REAP_MS) < written(&one, "TimeoutStopSec"));
            prop_assert!(end < written(&all, "TimeoutStopSec"));
            prop_assert!(end < times::worst_stop(&app));
            prop_assert!(written(&all, "TimeoutStopSec") < times::worst_app_stop(Some(&app)));
            // What a shim asks for while it waits, and an app of it, come before the limit of the unit.
            let longest = app.restart.max_delay + times::LONGEST_START * app.ready.timeout + times::GRACE;
            prop_assert!(longest + end < times::worst_start(&app));
            prop_assert!(times::worst_start(&app) > written(&one, "TimeoutStartSec") + end);
            prop_assert!(times::worst_restart(&app) > longest + 2 * end);
        }
    }
}
