//! How much of the system an instance sees: the directives of each level of `sandbox`, systemd.exec(5).
//!
//! Three rules. An app that works in `off` works in `standard`, unless it writes outside its own directory and its state
//! or needs what [`Allowed`] names one by one. No level has `MemoryDenyWriteExecute=`: Node compiles JavaScript to machine
//! code while it runs. And each start pays: `SystemCallArchitectures=native` saves two of three filters for each of the
//! other lines, and a list of what is denied costs a tenth of a list of what is allowed.

use std::path::{Path, PathBuf};

use super::{Host, Section, quote};
use crate::spec::{Account, Allowed, AppSpec, Level};

mod filter;
mod own;
#[cfg(test)]
mod tests;

pub(super) use own::{idle, starter};

/// Directories that `PrivateTmp=` replaces by empty ones.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];
/// Directories that `ProtectHome=` is about.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];
/// What `ProtectKernelTunables=` is about. Only root can write there, so an app without rights is kept out twice by two
/// mounts; the directive takes forty, and with `ProtectKernelLogs=`, for which the filter stands in, a quarter of the
/// processor time of a start (33 ms to 25 on systemd 257). systemd 257 does not close /sys beside
/// `ProtectControlGroups=`, nor does it for the directive.
const TUNABLES: &str = "-/proc/sys -/sys";
/// What is for an app as root: other accounts' files, and to become another account.
const ROOTS: [(&str, u8); 8] = [
    ("CAP_CHOWN", 0),
    ("CAP_DAC_OVERRIDE", 1),
    ("CAP_FOWNER", 3),
    ("CAP_FSETID", 4),
    ("CAP_KILL", 5),
    ("CAP_SETGID", 6),
    ("CAP_SETUID", 7),
    ("CAP_NET_BIND_SERVICE", 10),
];

pub(super) fn render(spec: &AppSpec, host: &Host, service: &mut Section) {
    if spec.sandbox.level == Level::Off {
        // What DynamicUser= brings along stays: it cannot be had without.
        return in_place_below_temporary(spec, service, spec.account == Account::Dynamic);
    }
    files(spec, service);
    processes(spec, host, service);
    if !spec.sandbox.allows(Allowed::Privileges) {
        privileges(spec, service);
        kernel(spec, service);
        filter::render(&spec.sandbox, service);
    }
}

fn is_strict(spec: &AppSpec) -> bool {
    spec.sandbox.level == Level::Strict
}

fn files(spec: &AppSpec, service: &mut Section) {
    let strict = is_strict(spec);
    // systemd gives it to a transient account in any case.
    let private_tmp = !spec.sandbox.allows(Allowed::Tmp) || spec.account == Account::Dynamic;
    if private_tmp {
        service.set("PrivateTmp", "yes");
    }
    in_place_below_temporary(spec, service, private_tmp);
    let whole = strict || spec.account == Account::Dynamic;
    service.set("ProtectSystem", if whole { "strict" } else { "full" });
    // Hidden homes would hide an app in /home, or an interpreter from ~/.nvm, as well.
    let hidden = strict && !needs_a_home(spec);
    service.set("ProtectHome", if hidden { "yes" } else { "read-only" });
    // Apps that came from PM2 keep uploads and databases beside their code.
    let own = spec.directory.iter().filter(|_| !strict);
    let writable = own.chain(&spec.sandbox.write);
    service.each("ReadWritePaths", writable.map(|path| quote::optional_list_path(path)));
    umask(spec, service);
}

/// Releases and data are closed to others anyway; in place, a proxy may well serve what the app writes.
fn umask(spec: &AppSpec, service: &mut Section) {
    if is_strict(spec) {
        service.set("UMask", "0077");
    } else if spec.directory.is_none() {
        service.set("UMask", "0027");
    }
}

fn processes(spec: &AppSpec, host: &Host, service: &mut Section) {
    let namespaced = is_strict(spec) && host.systemd.has_control_group_namespaces();
    service.set("ProtectControlGroups", if namespaced { "strict" } else { "yes" });
    if !spec.sandbox.allows(Allowed::Processes) {
        service.set("ProtectProc", "invisible");
    }
}

fn privileges(spec: &AppSpec, service: &mut Section) {
    service.set("NoNewPrivileges", "yes");
    // Empty is none. The socket holds ports below 1024, so that no app needs one for these.
    let few = ROOTS.iter().filter(|_| !is_strict(spec) && is_root(&spec.account));
    let few: Vec<_> = few.map(|(name, _)| *name).collect();
    service.set("CapabilityBoundingSet", few.join(" "));
    if !spec.sandbox.allows(Allowed::Setgid) {
        service.set("RestrictSUIDSGID", "yes");
    }
    if is_strict(spec) {
        service.set("PrivateUsers", "yes");
    }
}

/// The same as bits, for properties: capabilities(7) numbers them.
pub(super) fn capabilities(names: &str) -> u64 {
    let known = names
        .split(' ')
        .filter_map(|name| ROOTS.iter().find(|(known, _)| *known == name));
    known.map(|(_, bit)| 1 << bit).sum()
}

fn is_root(account: &Account) -> bool {
    matches!(account, Account::Named { user, .. } if user == "root" || user == "0")
}

fn kernel(spec: &AppSpec, service: &mut Section) {
    if !spec.sandbox.allows(Allowed::Devices) {
        service.set("PrivateDevices", "yes");
        // It leaves no device but the clock to read, and this clock only.
        service.set("ProtectClock", "yes");
    }
    if is_strict(spec) || is_root(&spec.account) {
        service
            .set("ProtectKernelTunables", "yes")
            .set("ProtectKernelLogs", "yes");
    } else {
        service.set("ReadOnlyPaths", TUNABLES);
    }
    for key in ["ProtectKernelModules", "ProtectHostname", "RestrictRealtime"] {
        service.set(key, "yes");
    }
}

/// An app in /tmp is still there when /tmp is private; that it is gone altogether is for the shim to say, hence `-`.
fn in_place_below_temporary(spec: &AppSpec, service: &mut Section, private: bool) {
    let hidden = spec.directory.iter().filter(|path| private && below(path, &TEMPORARY));
    service.each("BindPaths", hidden.map(|path| quote::optional_list_path(path)));
}

fn needs_a_home(spec: &AppSpec) -> bool {
    let program = spec.exec.first().map(Path::new);
    let own = spec.directory.iter().chain(&spec.sandbox.write).map(PathBuf::as_path);
    own.chain(program).any(|path| below(path, &HOMES))
}

fn below(path: &Path, directories: &[&str]) -> bool {
    directories.iter().any(|directory| path.starts_with(directory))
}
