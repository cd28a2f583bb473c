//! How much of the system an instance sees: the directives of each [`Sandbox`] level, systemd.exec(5).
//!
//! Two rules. An app that works in `off` works in `standard`, unless it writes outside its own directory and its state.
//! No level has `MemoryDenyWriteExecute=`: Node compiles JavaScript to machine code while it runs.
//! `standard` has few system call filters on purpose: an unprivileged account can do little of what the others forbid,
//! and each one costs time at every start.

use std::path::Path;

use super::{Host, Section, quote};
use crate::spec::{Account, AppSpec, Sandbox};

/// Directories that `PrivateTmp=` replaces by empty ones.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];
/// Directories that `ProtectHome=` is about.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

pub(super) fn render(spec: &AppSpec, host: &Host, service: &mut Section) {
    match spec.sandbox {
        // What DynamicUser= brings along stays: it cannot be had without.
        Sandbox::Off => in_place_below_temporary(spec, service, spec.account == Account::Dynamic),
        Sandbox::Standard => standard(spec, service),
        Sandbox::Strict => strict(spec, host, service),
    }
}

fn standard(spec: &AppSpec, service: &mut Section) {
    let system = if spec.account == Account::Dynamic {
        "strict"
    } else {
        "full"
    };
    private(spec, service, system);
    // Apps that came from PM2 keep uploads and databases beside their code.
    service.each(
        "ReadWritePaths",
        spec.directory.iter().map(|path| quote::optional_list_path(path)),
    );
    service.set("ProtectHome", "read-only");
    service.set("ProtectControlGroups", "yes");
}

fn strict(spec: &AppSpec, host: &Host, service: &mut Section) {
    private(spec, service, "strict");
    // Hidden homes would hide an app in /home, or an interpreter from ~/.nvm, as well.
    service.set("ProtectHome", if needs_a_home(spec) { "read-only" } else { "yes" });
    let namespaced = host.systemd.has_control_group_namespaces();
    service.set("ProtectControlGroups", if namespaced { "strict" } else { "yes" });
    for key in [
        "ProtectKernelModules",
        "ProtectKernelLogs",
        "ProtectClock",
        "ProtectHostname",
    ] {
        service.set(key, "yes");
    }
    service.set("ProtectProc", "invisible");
    service
        .set("LockPersonality", "yes")
        .set("RestrictRealtime", "yes")
        .set("RestrictNamespaces", "yes");
    // Empty is none.
    service.set("CapabilityBoundingSet", "");
    service.set("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK");
    service.set("SystemCallArchitectures", "native");
    service.set("SystemCallFilter", "@system-service");
    // An error that the app can report, in place of a kill that it cannot.
    service.set("SystemCallErrorNumber", "EPERM");
}

/// What both levels share.
fn private(spec: &AppSpec, service: &mut Section, system: &str) {
    service
        .set("NoNewPrivileges", "yes")
        .set("PrivateTmp", "yes")
        .set("PrivateDevices", "yes");
    in_place_below_temporary(spec, service, true);
    service.set("ProtectSystem", system);
    service
        .set("ProtectKernelTunables", "yes")
        .set("RestrictSUIDSGID", "yes");
}

/// An app in /tmp is still there when /tmp is private; that it is gone altogether is for the shim to say, hence `-`.
fn in_place_below_temporary(spec: &AppSpec, service: &mut Section, private: bool) {
    let hidden = spec.directory.iter().filter(|path| private && below(path, &TEMPORARY));
    service.each("BindPaths", hidden.map(|path| quote::optional_list_path(path)));
}

fn needs_a_home(spec: &AppSpec) -> bool {
    let program = spec.exec.first().map(Path::new);
    spec.directory
        .as_deref()
        .into_iter()
        .chain(program)
        .any(|path| below(path, &HOMES))
}

fn below(path: &Path, directories: &[&str]) -> bool {
    directories.iter().any(|directory| path.starts_with(directory))
}

#[cfg(test)]
mod tests {
    use crate::spec::{AppSpec, Sandbox};
    use crate::unit::samples::{host, spec};
    use crate::unit::{Host, Section, SystemdVersion, UnitFile};

    fn lines(sandbox: Sandbox, directory: Option<&str>, version: u16) -> String {
        let spec = AppSpec {
            sandbox,
            directory: directory.map(Into::into),
            ..spec("web")
        };
        let mut section = Section::new("Service");
        super::render(
            &spec,
            &Host {
                systemd: SystemdVersion(version),
                ..host()
            },
            &mut section,
        );
        UnitFile::new(String::new(), std::path::Path::new(""), [section]).to_string()
    }

    #[test]
    fn no_level_forbids_what_a_jit_needs() {
        for sandbox in [Sandbox::Off, Sandbox::Standard, Sandbox::Strict] {
            assert!(!lines(sandbox, None, 257).contains("MemoryDenyWriteExecute"));
        }
    }

    #[test]
    fn an_app_in_a_home_is_not_hidden_from_itself() {
        assert!(lines(Sandbox::Strict, Some("/home/me/app"), 252).contains("ProtectHome=read-only"));
        assert!(lines(Sandbox::Strict, Some("/homestead"), 252).contains("ProtectHome=yes"));
        assert!(lines(Sandbox::Standard, Some("/home/me/app"), 252).contains(r#"ReadWritePaths="-/home/me/app""#));
        assert!(lines(Sandbox::Standard, Some("/tmp/app"), 252).contains(r#"BindPaths="-/tmp/app""#));
    }

    #[test]
    fn only_a_systemd_that_has_them_gets_control_group_namespaces() {
        assert!(lines(Sandbox::Strict, None, 252).contains("ProtectControlGroups=yes"));
        assert!(lines(Sandbox::Strict, None, 257).contains("ProtectControlGroups=strict"));
    }
}
