//! `appctl-shim drained`, `ExecStop=` of `NAME.service`: waits until the instances have ended that were there when the
//! app was told to stop, so that `systemctl stop` and `restart` return when requests have been answered, not before.
//!
//! Those that a restart starts meanwhile are younger than this process, and are not waited for: an order between the
//! units would let none of them start before the last has drained. Asks the kernel only: at shutdown there may be no bus.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use appctl::observe::process::{own_group, start_time};

const MOUNT: &str = "/sys/fs/cgroup";
const SOONEST: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_millis(50);

/// Waits. What cannot be read is not waited for: a stop must not fail over it.
pub(crate) fn drained() -> ExitCode {
    let (Some(own), Some(begin)) = (siblings(), started("self")) else {
        return ExitCode::SUCCESS;
    };
    let mut pause = SOONEST;
    while any_older(&own, begin) {
        std::thread::sleep(pause);
        pause = (pause * 2).min(LATEST);
    }
    ExitCode::SUCCESS
}

/// The control group that this one is in, which the instances are in too.
fn siblings() -> Option<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = Path::new(MOUNT).join(own_group(&text)?.trim_start_matches('/'));
    own.parent().map(Path::to_owned)
}

fn any_older(slice: &Path, begin: u64) -> bool {
    let groups = std::fs::read_dir(slice).into_iter().flatten().flatten();
    let mut instances = groups.filter(|group| is_instance(&group.file_name()));
    instances.any(|group| {
        let processes = std::fs::read_to_string(group.path().join("cgroup.procs")).unwrap_or_default();
        let mut started = processes.lines().filter_map(started);
        started.any(|time| time < begin)
    })
}

/// `NAME@1.service`, but not `NAME.retry@1.service`.
fn is_instance(name: &OsString) -> bool {
    let mut parts = name.as_bytes().split(|byte| *byte == b'@');
    let template = parts.next().unwrap_or_default();
    parts.next().is_some() && !template.contains(&b'.')
}

/// When a process began; `None` when it has ended.
fn started(pid: &str) -> Option<u64> {
    start_time(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

#[cfg(test)]
mod tests {
    use super::is_instance;

    #[test]
    fn only_instances_are_waited_for() {
        for (name, instance) in [
            ("my-app@1.service", true),
            ("myapp@surge.service", true),
            ("myapp.service", false),
            ("myapp.retry@1.service", false),
            ("myapp.hold.service", false),
            ("cgroup.procs", false),
        ] {
            assert_eq!(is_instance(&name.into()), instance, "{name}");
        }
    }
}
