//! Reads an instance's control group, so that a table of a hundred instances asks systemd nothing for it.

use std::path::{Path, PathBuf};

use crate::observe::cgroup::{Usage, cpu_usage, memory_current};

const MOUNT: &str = "/sys/fs/cgroup";

/// The processes of a slice and everything below it, as far as they can be listed.
pub fn processes(slice: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(MOUNT).join(slice)];
    while let Some(group) = open.pop() {
        let text = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        let below = std::fs::read_dir(&group).into_iter().flatten().flatten();
        open.extend(
            below
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
    found
}

/// What a unit in a slice uses. `slice` is a path of slices from the root, as `appctl.slice/appctl-myapp.slice`.
pub fn usage(slice: &Path, unit: &str) -> Usage {
    let group = PathBuf::from(MOUNT).join(slice).join(unit);
    let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
    Usage {
        memory: read("memory.current").and_then(|text| memory_current(&text)),
        cpu: read("cpu.stat").and_then(|text| cpu_usage(&text)),
    }
}
