//! What of the kernel's own interface is left: system calls, address families, namespaces. systemd.exec(5).

use super::Section;
use crate::spec::{Allowed, Level, Sandbox};

/// Sets of system calls that an account without rights has no use for. `systemd-analyze syscall-filter` lists them.
/// The last is the kernel's log.
const UNUSED: [&str; 7] = [
    "@clock",
    "@module",
    "@obsolete",
    "@raw-io",
    "@reboot",
    "@swap",
    "syslog",
];
/// Sets of which some programs need one, and what opens it.
const SELDOM: [(&str, Allowed); 3] = [
    ("@cpu-emulation", Allowed::Personality),
    ("@debug", Allowed::Debug),
    ("@mount", Allowed::Namespaces),
];

pub(super) fn render(sandbox: &Sandbox, service: &mut Section) {
    if !sandbox.allows(Allowed::Namespaces) {
        service.set("RestrictNamespaces", "yes");
    }
    if !sandbox.allows(Allowed::Personality) {
        service
            .set("LockPersonality", "yes")
            .set("SystemCallArchitectures", "native");
    }
    if !sandbox.allows(Allowed::AddressFamilies) {
        // Netlink tells an app its network interfaces.
        service.set("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK");
    }
    for list in lists(sandbox) {
        service.set("SystemCallFilter", list);
    }
    // An error that the app can report, in place of a kill that it cannot.
    service.set("SystemCallErrorNumber", "EPERM");
}

/// The first decides whether it names what is allowed or what is not; a second takes from the first.
fn lists(sandbox: &Sandbox) -> Vec<String> {
    if sandbox.level == Level::Strict {
        let opened = SELDOM.iter().filter(|(_, by)| sandbox.allows(*by)).map(|(set, _)| *set);
        let allowed: Vec<_> = ["@system-service"].into_iter().chain(opened).collect();
        let mut lists = vec![allowed.join(" ")];
        lists.extend((!sandbox.allows(Allowed::Resources)).then(|| "~@resources".to_owned()));
        return lists;
    }
    let closed = SELDOM
        .iter()
        .filter(|(_, by)| !sandbox.allows(*by))
        .map(|(set, _)| *set);
    let denied: Vec<_> = UNUSED.into_iter().chain(closed).collect();
    vec![format!("~{}", denied.join(" "))]
}
