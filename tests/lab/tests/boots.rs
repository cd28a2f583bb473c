//! Every system of the lab comes up as what it claims to be: the right Debian, systemd as PID 1, cgroup v2, a journal.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::{Box_, Debian, Host, Machine};

#[test]
fn a_box_of_debian_12_boots() -> Result<()> {
    check(&Box_::boot(Debian::Twelve)?)
}

#[test]
fn a_box_of_debian_13_boots() -> Result<()> {
    check(&Box_::boot(Debian::Thirteen)?)
}

#[test]
fn a_machine_of_debian_12_boots() -> Result<()> {
    check_machine(Debian::Twelve)
}

#[test]
fn a_machine_of_debian_13_boots() -> Result<()> {
    check_machine(Debian::Thirteen)
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

fn check_machine(debian: Debian) -> Result<()> {
    let machine = Machine::boot(debian)?;
    check(&machine)?;
    let controllers = machine.read_file("/sys/fs/cgroup/cgroup.controllers")?;
    ensure!(
        controllers.split_whitespace().any(|name| name == "memory"),
        "no memory controller: {controllers}"
    );
    Ok(())
}

fn check(host: &dyn Host) -> Result<()> {
    is_the_debian_it_claims(host)?;
    runs_commands_as_they_are(host)?;
    moves_files(host)?;
    logs_to_its_journal(host)
}

fn is_the_debian_it_claims(host: &dyn Host) -> Result<()> {
    let debian = host.debian();
    let release = host.read_file("/etc/os-release")?;
    ensure!(
        release.contains(&format!("VERSION_ID=\"{}\"", debian.number())),
        "{release}"
    );
    let systemd = host.run_ok(&["systemctl", "--version"])?;
    ensure!(
        systemd.starts_with(&format!("systemd {} ", debian.systemd())),
        "{systemd}"
    );
    let node = host.run_ok(&["node", "--version"])?;
    ensure!(node.starts_with(&format!("v{}.", debian.node())), "{node}");
    ensure!(host.run(&["npm", "--version"])?.success());
    ensure!(host.read_file("/proc/1/comm")?.trim_end() == "systemd");
    ensure!(
        host.run_ok(&["stat", "--file-system", "--format=%T", "/sys/fs/cgroup"])?
            .trim_end()
            == "cgroup2fs"
    );
    let failed = host.run_ok(&["systemctl", "list-units", "--failed", "--plain", "--no-legend"])?;
    ensure!(failed.is_empty(), "failed units:\n{failed}");
    Ok(())
}

fn runs_commands_as_they_are(host: &dyn Host) -> Result<()> {
    let output = host.run(&[
        "sh",
        "-c",
        "printf '%s|' \"$@\"; echo oops >&2; exit 7",
        "sh",
        "a  b",
        "it's",
        "$HOME",
        "",
    ])?;
    ensure!((output.status, output.stdout.as_str(), output.stderr.as_str()) == (7, "a  b|it's|$HOME||", "oops\n"));
    ensure!(host.run_ok(&["pwd"])? == "/root\n");
    ensure!(host.run_ok(&["id", "--user"])? == "0\n");
    let mut child = host.spawn(&["cat", "/proc/1/comm"])?;
    ensure!(child.wait()?.success());
    Ok(())
}

fn moves_files(host: &dyn Host) -> Result<()> {
    host.write_file("/srv/new/dir/text", "line one\nline two\n")?;
    ensure!(host.read_file("/srv/new/dir/text")? == "line one\nline two\n");
    let local = tempfile::tempdir()?;
    std::fs::create_dir(local.path().join("deep"))?;
    std::fs::write(local.path().join("deep/file"), "copied")?;
    host.copy_in(local.path(), "/srv/copied")?;
    ensure!(host.read_file("/srv/copied/deep/file")? == "copied");
    host.copy_in(&local.path().join("deep/file"), "/srv/single")?;
    ensure!(host.read_file("/srv/single")? == "copied");
    ensure!(host.run(&["cat", "/srv/missing"])?.status == 1);
    Ok(())
}

fn logs_to_its_journal(host: &dyn Host) -> Result<()> {
    host.run_ok(&[
        "systemd-run",
        "--wait",
        "--unit=lab-says",
        "echo",
        "seen in the journal",
    ])?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while !host.journal("lab-says")?.contains("seen in the journal") {
        ensure!(Instant::now() < deadline, "{}", host.journal("lab-says")?);
    }
    Ok(())
}
