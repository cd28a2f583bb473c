//! What every system of the lab has to be and do before anything is proven on it: the right Debian, systemd as PID 1,
//! cgroup v2, a journal.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Host;
use crate::patience::until;

/// It is the Debian it says it is, runs commands as they are, moves files and keeps a journal.
pub fn check(host: &dyn Host) -> Result<()> {
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
    until("the line in the journal", Duration::from_secs(10), || {
        Ok(host.journal("lab-says")?.contains("seen in the journal").then_some(()))
    })
}
