//! Gives each box a cgroup of its own: a delegated scope where systemd runs this machine, a plain directory where it
//! does not. Two boxes in one cgroup would share their `payload` group. See cgroups(7), systemd.scope(5).

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

const PARENT: &str = "appctl-lab";

/// A group with processes of its own cannot give controllers to groups below it. So the keeper's processes and the box
/// each get one below the box's group. Only a process can move itself before its first fork, and these programs have no
/// code of ours between fork and exec.
const KEEPER: &str = "mkdir -p \"$0/keeper\" \"$0/box\" && echo 0 >\"$0/keeper/cgroup.procs\" || exit
    for name in $(cat \"$0/cgroup.controllers\"); do echo \"+$name\" >\"$0/cgroup.subtree_control\"; done
    exec \"$@\"";
const BOX: &str = "echo 0 >\"$0/box/cgroup.procs\" && exec \"$@\"";

/// Words to put before commands, so that they run in the cgroups of one box.
pub(crate) struct Prefixes {
    /// Before the command that keeps the box.
    pub(crate) keeper: Vec<OsString>,
    /// Before the one, further down the same command line, that is the box.
    pub(crate) inner: Vec<OsString>,
}

/// The prefixes for the box `name`.
pub(crate) fn prefixes(name: &str) -> Result<Prefixes> {
    let mounts = mounts();
    let (_, unified) = mounts
        .iter()
        .find(|(kind, _)| kind == "cgroup2")
        .context("no cgroup v2 is mounted here")?;
    let shell = |script: &str, group: &Path| ["sh".into(), "-c".into(), script.into(), group.into()];
    let (mut keeper, group) = if Path::new("/run/systemd/system").is_dir() {
        let unit = format!("{PARENT}-{name}.scope");
        (scope(&unit), unified.join("system.slice").join(unit))
    } else {
        let group = unified.join(PARENT).join(name);
        fs::create_dir_all(&group).with_context(|| format!("cannot make the cgroup {}", group.display()))?;
        (Vec::new(), group)
    };
    keeper.extend(shell(KEEPER, &group));
    Ok(Prefixes {
        keeper,
        inner: shell(BOX, &group).into(),
    })
}

fn scope(unit: &str) -> Vec<OsString> {
    let fixed = "systemd-run --scope --quiet --collect --slice=system.slice --property=Delegate=yes";
    let unit = format!("--unit={unit}");
    fixed
        .split(' ')
        .chain([unit.as_str(), "--"])
        .map(OsString::from)
        .collect()
}

/// Removes what a box has left in every hierarchy. Its processes are gone or about to be.
pub(crate) fn remove(name: &str) {
    for (_, mount) in mounts() {
        let group = mount.join(PARENT).join(name);
        let deadline = Instant::now() + Duration::from_secs(3);
        while group.exists() && !remove_tree(&group) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Files of a cgroup cannot be unlinked, only its directories, the deepest first.
fn remove_tree(group: &Path) -> bool {
    let children = fs::read_dir(group).into_iter().flatten().flatten();
    for child in children.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_tree(&child.path());
    }
    fs::remove_dir(group).is_ok()
}

fn mounts() -> Vec<(String, PathBuf)> {
    parse_mounts(&fs::read_to_string("/proc/self/mounts").unwrap_or_default())
}

fn parse_mounts(text: &str) -> Vec<(String, PathBuf)> {
    let fields = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let groups = fields.filter(|field| field.len() > 2 && field[2].starts_with("cgroup"));
    groups
        .map(|field| (field[2].to_owned(), PathBuf::from(field[1])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_hierarchies_of_a_hybrid_host() {
        let text = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n\
                    cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let found = parse_mounts(text);
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[1],
            ("cgroup2".to_owned(), PathBuf::from("/sys/fs/cgroup/unified"))
        );
    }
}
