//! What the units depend on beside the files: which systemd this is and how many processors apps may use. The generator
//! and the operator's program must come to the same answer, so both ask here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::observe::cpus;
use crate::unit::SystemdVersion;

/// One machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// The systemd that is installed.
    pub systemd: SystemdVersion,
    /// Processors PID 1 may use.
    pub cpus: u16,
}

/// Looks at `/usr`, `/proc` and `/sys` below `root`.
pub fn look(root: &Path) -> Machine {
    Machine {
        systemd: systemd(root),
        cpus: processors(root),
    }
}

/// systemd tells a generator everything but its version. Its private library has it in its name; the override is for
/// tests, and to see what another system would get.
fn systemd(root: &Path) -> SystemdVersion {
    let told = std::env::var("APPCTL_SYSTEMD_VERSION")
        .ok()
        .and_then(|text| text.parse().ok());
    let found = || {
        let libraries = library_directories(root).into_iter().flat_map(file_names);
        libraries.filter_map(|name| SystemdVersion::from_library(&name)).max()
    };
    told.or_else(found).unwrap_or(SystemdVersion::OLDEST)
}

/// `/usr/lib/systemd`, `/usr/lib64/systemd`, and `/usr/lib/x86_64-linux-gnu/systemd` of Debian.
fn library_directories(root: &Path) -> Vec<PathBuf> {
    let lib = root.join("usr/lib");
    let multiarch = file_names(lib.clone())
        .into_iter()
        .filter(|name| name.contains("-linux-gnu"));
    let multiarch = multiarch.map(|name| lib.join(name).join("systemd"));
    [lib.join("systemd"), root.join("usr/lib64/systemd")]
        .into_iter()
        .chain(multiarch)
        .collect()
}

fn file_names(directory: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

fn processors(root: &Path) -> u16 {
    let read = |path: &Path| fs::read_to_string(root.join(path)).unwrap_or_default();
    let own = read(Path::new("proc/1/cgroup"));
    // Of PID 1, not of this process: an operator's session may have limits of its own.
    // A quota on any group above holds for us and for the apps' groups alike as far as they share it.
    let groups = Path::new(cpus::own_group(&own).unwrap_or("")).ancestors();
    let quotas = groups.filter_map(|group| cpus::quota(&read(&Path::new("sys/fs/cgroup").join(group).join("cpu.max"))));
    cpus::usable(cpus::allowed(&read(Path::new("proc/1/status"))), quotas)
}
