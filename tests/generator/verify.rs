//! systemd's own opinion of unit files. On a machine where appctl is installed the same check is
//! `SYSTEMD_UNIT_PATH=DIR: systemd-analyze verify --man=no --recursive-errors=no NAME.service NAME.socket NAME@1.service`;
//! here a miniature root stands in for what is not installed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::tree::Tree;

const PROGRAMS: [&str; 4] = [
    "bin/true",
    "usr/bin/appctl",
    "usr/bin/systemctl",
    "usr/lib/appctl/appctl-shim",
];
const TARGETS: [&str; 6] = ["sysinit", "basic", "shutdown", "network", "sockets", "multi-user"];
const SLICE: &str = include_str!("../../units/appctl.slice");

/// Major version of the systemd of this machine.
pub(crate) fn version() -> u16 {
    let output = Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .expect("systemd is installed");
    let text = String::from_utf8(output.stdout).expect("text");
    let number = text.split_whitespace().nth(1).expect("systemd NUMBER");
    number.parse().expect("a number")
}

/// Every complaint about these units; empty when systemd is content.
pub(crate) fn complaints(units: &Tree) -> String {
    let names: Vec<_> = units
        .0
        .keys()
        // Beside the units stand files of variables, which are none.
        .filter(|path| !path.contains('/') && Path::new(path).extension() != Some("env".as_ref()))
        .map(|name| instance_of(name))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let root = tempfile::tempdir().expect("a temporary directory");
    let directory = root.path().join("usr/lib/systemd/system");
    units.write(&directory);
    furnish(root.path(), &directory);
    let mut verify = Command::new("systemd-analyze");
    verify
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(format!("--root={}", root.path().display()));
    let output = verify.args(&names).output().expect("systemd is installed");
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    match (output.status.success(), complaints.as_str()) {
        (false, "") => format!("{names:?}: {}", output.status),
        _ => complaints,
    }
}

fn instance_of(name: &str) -> String {
    name.replace("@.", "@1.")
}

fn furnish(root: &Path, directory: &Path) {
    for program in PROGRAMS {
        let path = root.join(program);
        fs::create_dir_all(path.parent().expect("below the root")).expect("ours");
        fs::write(&path, "").expect("ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }
    for target in TARGETS {
        fs::write(directory.join(format!("{target}.target")), "[Unit]\n").expect("ours");
    }
    fs::write(directory.join("appctl.slice"), SLICE).expect("ours");
}
