//! Reads an instance's control group, so that a table of a hundred instances asks systemd nothing for it.

use std::path::{Path, PathBuf};

use crate::observe::cgroup::{Usage, cpu_usage, memory_current};

const MOUNT: &str = "/sys/fs/cgroup";

/// What a unit in a slice uses. `slice` is a path of slices from the root, as `appctl.slice/appctl-myapp.slice`.
pub fn usage(slice: &Path, unit: &str) -> Usage {
    let group = PathBuf::from(MOUNT).join(slice).join(unit);
    let read = |file: &str| std::fs::read_to_string(group.join(file)).ok();
    Usage {
        memory: read("memory.current").and_then(|text| memory_current(&text)),
        cpu: read("cpu.stat").and_then(|text| cpu_usage(&text)),
    }
}
