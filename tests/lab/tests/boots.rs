//! Every box of the lab comes up as what it claims to be, alone, and leaves nothing. Machines are looked at in `machine`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::contract::check;
use appctl_lab::{Box_, Debian, Host};

#[test]
fn a_box_of_debian_12_boots() -> Result<()> {
    check(&Box_::boot(Debian::Twelve)?)
}

#[test]
fn a_box_of_debian_13_boots() -> Result<()> {
    check(&Box_::boot(Debian::Thirteen)?)
}

#[test]
fn a_dropped_box_leaves_nothing() -> Result<()> {
    let host = Box_::boot(Debian::Twelve)?;
    let (name, leader) = (host.name().to_owned(), format!("/proc/{}", host.leader_pid()));
    ensure!(Path::new(&leader).exists());
    drop(host);
    let deadline = Instant::now() + Duration::from_secs(5);
    while Path::new(&leader).exists() {
        ensure!(Instant::now() < deadline, "PID 1 of the box still runs");
    }
    let groups = std::process::Command::new("find")
        .args(["/sys/fs/cgroup", "-name", &format!("*{name}*")])
        .output()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    ensure!(!mounts.contains(&name), "mounts stay:\n{mounts}");
    ensure!(
        groups.status.success() && groups.stdout.is_empty(),
        "cgroups stay: {}",
        String::from_utf8_lossy(&groups.stdout)
    );
    Ok(())
}

#[test]
fn two_boxes_do_not_see_each_other() -> Result<()> {
    let (one, other) = (Box_::boot(Debian::Twelve)?, Box_::boot(Debian::Twelve)?);
    one.write_file("/srv/only-here", "x")?;
    one.run_ok(&["systemd-run", "--unit=only-here", "sleep", "infinity"])?;
    ensure!(!other.run(&["test", "-e", "/srv/only-here"])?.success());
    ensure!(!other.run(&["systemctl", "is-active", "only-here"])?.success());
    ensure!(one.run_ok(&["systemctl", "is-active", "only-here"])?.trim_end() == "active");
    Ok(())
}
