//! What the units depend on beside the files: which systemd this is and how many processors we may use.

use std::fs;
use std::path::{Path, PathBuf};

use appctl::observe::cpus;
use appctl::unit::SystemdVersion;

/// One machine.
pub(crate) struct Machine {
    pub(crate) systemd: SystemdVersion,
    pub(crate) cpus: u16,
}

/// Looks at `/usr`, `/proc` and `/sys` below `root`.
pub(crate) fn look(root: &Path) -> Machine {
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
    let own = read(Path::new("proc/self/cgroup"));
    // A quota on any group above holds for us and for the apps' groups alike as far as they share it.
    let groups = Path::new(cpus::own_group(&own).unwrap_or("")).ancestors();
    let quotas = groups.filter_map(|group| cpus::quota(&read(&Path::new("sys/fs/cgroup").join(group).join("cpu.max"))));
    cpus::usable(cpus::allowed(&read(Path::new("proc/self/status"))), quotas)
}
