//! The commands of the units beside the instances: as root, and next to nothing to do.

use super::Section;

/// Settings that need no mount namespace.
const POWERLESS: [(&str, &str); 8] = [
    ("CapabilityBoundingSet", ""),
    ("NoNewPrivileges", "yes"),
    ("RestrictNamespaces", "yes"),
    ("LockPersonality", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("SystemCallArchitectures", "native"),
];
/// Every set of system calls that systemd knows to be for few.
const FEW: &str = "~@clock @cpu-emulation @debug @module @mount @obsolete @privileged @raw-io @reboot @resources @swap";

/// For `/bin/true`. Nothing that holds for a whole control group, as device and address filters do: a reload of the app's
/// unit is run there, too, and that is a rollout with all its rights.
pub(in crate::unit) fn idle(service: &mut Section) {
    powerless(service);
    service.set("RestrictAddressFamilies", "none");
    service.set("ProtectSystem", "strict").set("ProtectHome", "yes");
    for key in [
        "ProtectControlGroups",
        "ProtectKernelTunables",
        "ProtectKernelModules",
        "ProtectKernelLogs",
    ] {
        service.set(key, "yes");
    }
}

/// For what starts an instance again that systemd could not start. That may have been for lack of what mounts are made
/// of, so this needs none.
pub(in crate::unit) fn starter(service: &mut Section) {
    powerless(service);
    service.set("RestrictAddressFamilies", "AF_UNIX");
    service.set("PrivateNetwork", "yes").set("PrivateMounts", "no");
    service.set("ProtectClock", "yes").set("ProtectHostname", "yes");
    service.set("DevicePolicy", "closed").set("IPAddressDeny", "any");
    service.set("UMask", "0077");
}

fn powerless(service: &mut Section) {
    for (key, value) in POWERLESS {
        service.set(key, value);
    }
    service
        .set("SystemCallFilter", FEW)
        .set("SystemCallErrorNumber", "EPERM");
}
