//! `NAME@.service`: one instance, its main process the shim. systemd.service(5), systemd.exec(5).
//!
//! The same file serves every instance and the surge: nothing in it depends on how many there are.

use std::time::Duration;

use super::{
    Host, Section, UnitFile, account_name, environment_name, hold_name, installed, quote, sandbox, service_name, shim,
    slice_name, socket_name, template_name,
};
use crate::contract::{exit_status, paths, times};
use crate::spec::{Account, AppSpec, Limits};

pub(super) fn render(spec: &AppSpec, host: &Host) -> UnitFile {
    let mut service = Section::new("Service");
    protocol(spec, &mut service);
    process(spec, host, &mut service);
    lifecycle(spec, &mut service);
    directories(spec, &mut service);
    journal(spec, &mut service);
    limits(&spec.limits, &mut service);
    sandbox::render(spec, host, &mut service);
    UnitFile::new(template_name(&spec.name), &host.source, [unit(spec, host), service])
}

fn unit(spec: &AppSpec, host: &Host) -> Section {
    let name = &spec.name;
    let mut unit = Section::new("Unit");
    unit.set("Description", format_args!("{name} instance %i (appctl)"));
    unit.set("SourcePath", quote::rest_of_line_file(&host.source));
    // `systemctl stop|restart NAME` reaches every instance, the surge too.
    unit.set("PartOf", service_name(name));
    if !spec.listen.is_empty() {
        // Sockets= alone would start an instance without any socket after the socket unit has failed.
        unit.set("Requires", socket_name(name)).set("After", socket_name(name));
        // As long as this instance is up, or on its way down, the socket finds nothing to start.
        unit.set("Wants", hold_name(name));
    }
    // At shutdown instances drain before the network goes away.
    unit.set("After", "network.target");
    // WorkingDirectory= would bring this along, but the shim goes there itself.
    unit.each(
        "RequiresMountsFor",
        spec.directory.iter().map(|path| quote::list_path(path)),
    );
    // Not ExecStopPost=, which every stop and every crash would wait for, 20 ms and more.
    unit.set("OnFailure", format_args!("{name}.retry@%i.service"));
    // One crashing instance that reached the limit would take the socket of all its siblings down with it.
    unit.set("StartLimitIntervalSec", 0);
    unit
}

fn protocol(spec: &AppSpec, service: &mut Section) {
    service.set("Slice", slice_name(&spec.name));
    // Only the shim speaks to systemd; the app has a socket of its own.
    service.set("Type", "notify").set("NotifyAccess", "main");
    if !spec.listen.is_empty() {
        service.set("Sockets", socket_name(&spec.name));
        // O_NONBLOCK belongs to the shared socket: without this line every start of an instance makes the accept() of
        // its siblings block, and with it their event loop.
        service.set("NonBlocking", "yes");
    }
    // The shim's count of crashes in a row outlives the shim.
    service.set("FileDescriptorStoreMax", 1);
}

fn process(spec: &AppSpec, host: &Host, service: &mut Section) {
    account(spec, service);
    if !spec.deploy.shared.is_empty() {
        // systemd would name both directories.
        service.set(
            "Environment",
            format_args!("STATE_DIRECTORY=/{}/{}/{}", paths::STATE, spec.name, paths::DATA),
        );
    }
    if !spec.env.is_empty() {
        // Environment= can be read by every account, systemctl(1) and D-Bus.
        let file = format!("{}/{}", installed::GENERATED, environment_name(&spec.name));
        service.set("EnvironmentFile", file);
    }
    // All optional here: systemd reads them before any process of ours exists, would try again at once and for ever when
    // one is missing, and from 257 on no AssertPathExists= is looked at again. The shim insists on those that must exist,
    // and looks before systemd reads and after: one that comes in between has not been read.
    // It also reads those that are not root's alone, with the app's rights: PID 1 would follow a link of the app's.
    let of_root = spec.env_files.iter().filter(|file| !host.foreign.contains(&file.path));
    service.each(
        "EnvironmentFile",
        of_root.map(|file| format!("-{}", quote::glob(&file.path))),
    );
    service.each("ExecStartPre", shim::exec_start_pre(spec, host));
    service.set("ExecStart", shim::exec_start(spec, host));
}

fn account(spec: &AppSpec, service: &mut Section) {
    match &spec.account {
        Account::Dynamic => {
            service.set("DynamicUser", "yes");
            // systemd would name the user after the unit, and an app called `root` or `www-data` would be just that.
            service.set("User", account_name(&spec.name));
        }
        Account::Named { user, group } => {
            service.set("User", user.replace('%', "%%"));
            service.each("Group", group.iter().map(|group| group.replace('%', "%%")));
        }
    }
}

fn lifecycle(spec: &AppSpec, service: &mut Section) {
    // Also after exit 0: an app of this kind has no reason to end.
    service.set("Restart", "always");
    // At once: the back-off is the shim's. systemd's timers are up to 250 ms late, and its own back-off needs 254.
    service.set("RestartSec", 0);
    // What no shim has counted would be repeated without a pause: see OnFailure=.
    service.set("RestartPreventExitStatus", words(exit_status::uncounted()));
    service.set("SuccessExitStatus", words(exit_status::TOLD_TO_END));
    // The stop request is for the shim only, which drains before it passes it on; what is left at the end is killed.
    service.set("KillMode", "mixed");
    // The default stops a whole instance when the kernel kills one of its children; the shim sees the app die.
    service.set("OOMPolicy", "continue");
    service.set("TimeoutStartSec", seconds(times::start_limit(spec)));
    service.set("TimeoutStopSec", seconds(times::stop_limit(spec)));
}

fn words(statuses: impl IntoIterator<Item = u8>) -> String {
    let words: Vec<String> = statuses.into_iter().map(|status| status.to_string()).collect();
    words.join(" ")
}

fn directories(spec: &AppSpec, service: &mut Section) {
    // The shim's control socket is in there, which is nobody else's business. systemd gives the directory away, and removes
    // it, whatever the instance is called: none may be called like a file of root's, the lock, the record, the pins.
    service.set("RuntimeDirectory", format_args!("appctl/{}/instance/%i", spec.name));
    service.set("RuntimeDirectoryMode", "0700");
    service.set("StateDirectory", state_directories(spec).join(" "));
    service.set("StateDirectoryMode", "0750");
}

/// Below `/var/lib`: the app's own data, and what its releases have in common.
pub(super) fn state_directories(spec: &AppSpec) -> Vec<String> {
    let shared = (!spec.deploy.shared.is_empty()).then_some("shared");
    let directories = ["data"].into_iter().chain(shared);
    directories
        .map(|directory| format!("appctl/{}/{directory}", spec.name))
        .collect()
}

fn journal(spec: &AppSpec, service: &mut Section) {
    service.set("SyslogIdentifier", &spec.name);
    service.set("LogExtraFields", format_args!("APPCTL_APP={}", spec.name));
    service.set("LogExtraFields", "APPCTL_INSTANCE=%i");
    // No line of an app is dropped; the journal's own size limits hold.
    service.set("LogRateLimitIntervalSec", 0);
}

fn limits(limits: &Limits, service: &mut Section) {
    service.each("MemoryMax", limits.memory);
    service.each("MemoryHigh", limits.memory_high);
    service.each("CPUQuota", limits.cpu_percent.map(|percent| format!("{percent}%")));
    service.each("TasksMax", limits.tasks);
    service.each("LimitNOFILE", limits.open_files);
}

/// systemd.time(7), no finer than the spec itself.
pub(super) fn seconds(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{}s", span.as_secs()),
        _ => format!("{}ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::spec::{Account, AppSpec, EnvFile, Instances};
    use crate::unit::Host;
    use crate::unit::samples::{host, spec};

    fn text(spec: &AppSpec) -> String {
        super::render(spec, &host()).to_string()
    }

    #[test]
    fn scaling_leaves_the_template_alone() {
        let scaled = AppSpec {
            instances: Instances::Fixed(9),
            ..spec("web")
        };
        assert_eq!(text(&scaled), text(&spec("web")));
    }

    #[test]
    fn a_dynamic_user_is_never_an_account_of_the_system() {
        assert!(text(&spec("root")).contains("\nUser=appctl-root\n"));
        let named = Account::Named {
            user: "work".into(),
            group: Some("web".into()),
        };
        let named = text(&AppSpec {
            account: named,
            ..spec("web")
        });
        assert!(named.contains("\nUser=work\nGroup=web\n") && !named.contains("DynamicUser"));
    }

    #[test]
    fn the_shim_insists_on_files_of_variables_that_must_exist() {
        let env_files = [("/etc/a.env", false), ("/etc/b.env", true)];
        let env_files = env_files
            .map(|(path, optional)| EnvFile {
                path: path.into(),
                optional,
            })
            .to_vec();
        let text = text(&AppSpec {
            env_files,
            ..spec("web")
        });
        assert!(text.contains("\nEnvironmentFile=-/etc/a.env\nEnvironmentFile=-/etc/b.env\n"));
        assert!(text.contains(" --env-file=/etc/a.env ") && !text.contains("--env-file=/etc/b.env"));
        assert!(text.contains("\nExecStartPre=-:/usr/lib/appctl/appctl-shim look /etc/a.env\n"));
    }

    #[test]
    fn no_variable_is_told_to_every_account_and_no_file_of_an_app_to_pid_1() {
        let file = |path: &str, optional| EnvFile {
            path: path.into(),
            optional,
        };
        let app = AppSpec {
            env: vec![("TOKEN".into(), "hunter2".into())],
            env_files: vec![file("/home/work/a.env", false), file("/home/work/b.env", true)],
            ..spec("web")
        };
        let foreign = app.env_files.iter().map(|file| file.path.clone()).collect();
        let text = super::render(&app, &Host { foreign, ..host() }).to_string();
        assert!(!text.contains("hunter2") && text.contains("\nEnvironmentFile=/run/systemd/generator/web.env\n"));
        assert!(!text.contains("EnvironmentFile=-"), "{text}");
        assert!(
            text.contains(" --read-env-file=/home/work/a.env --read-env-file=-/home/work/b.env "),
            "{text}"
        );
    }

    #[test]
    fn systemd_waits_longer_than_the_shim() {
        let mut slow = spec("web");
        slow.ready.timeout = Duration::from_millis(1500);
        assert!(text(&slow).contains("\nTimeoutStartSec=11500ms\nTimeoutStopSec=40s\n"));
    }
}
