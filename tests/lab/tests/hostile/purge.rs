//! What is mounted below an app's directories is not the app's: neither `uninstall --purge` nor the package's own purge
//! removes it, or half of what is around it.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    a_mount_stops_the_purge_of_an_app,
    a_mount_stops_the_purge_of_the_package,
    a_file_that_nobody_can_remove_is_named,
);

const PRECIOUS: &str = "/srv/precious";
const FAILED: i32 = 1;

fn there(stage: &Stage, path: &str) -> Result<bool> {
    Ok(stage.host().run(&["test", "-e", path])?.success())
}

/// A directory of the same file system, which only its mount tells from what an app has.
fn bind(stage: &Stage, at: &str) -> Result<()> {
    let host = stage.host();
    host.write_file(&format!("{PRECIOUS}/kept"), "kept")?;
    host.run_ok(&["mkdir", "--parents", at])?;
    host.run_ok(&["mount", "--bind", PRECIOUS, at]).map(drop)
}

fn nothing_is_left(stage: &Stage) -> Result<()> {
    for path in ["/var/lib/appctl", "/var/lib/private/appctl"] {
        let left = stage.host().run(&["find", path, "-mindepth", "1"])?;
        ensure!(left.stdout.is_empty(), "left behind: {}", left.stdout);
    }
    ensure!(
        there(stage, &format!("{PRECIOUS}/kept"))?,
        "the purge went through a mount"
    );
    Ok(())
}

fn a_mount_stops_the_purge_of_an_app(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "web")?;
    let purge = ["uninstall", "web", "--purge", "--yes"];
    for (account, state) in [
        (&["--user", "work"][..], "/var/lib/appctl/web"),
        (&[], "/var/lib/private/appctl/web"),
    ] {
        stage.appctl_ok(&[&["install", "web", &directory][..], account].concat())?;
        let point = format!("{state}/data/volume");
        bind(stage, &point)?;
        host.write_file(&format!("{state}/data/own"), "")?;
        let output = stage.appctl(&purge)?;
        ensure!(output.status == FAILED && output.stderr.contains(&point), "{output:?}");
        ensure!(stage.activity("web@1.service")? == "active", "it was stopped");
        ensure!(there(stage, &format!("{state}/data/own"))?, "half of it was removed");
        // Without --purge nothing of it is touched, and what stays can be removed later.
        stage.appctl_ok(&["uninstall", "web"])?;
        let output = stage.appctl(&purge)?;
        ensure!(output.status == FAILED && output.stderr.contains(&point), "{output:?}");
        host.run_ok(&["umount", &point])?;
        stage.appctl_ok(&purge)?;
        nothing_is_left(stage)?;
    }
    Ok(())
}

/// chattr(1), which not every box has.
const CHATTR: &str = r#"#!/usr/bin/python3
import array, fcntl, os, sys
(sign, letter), path = sys.argv[1], sys.argv[2]
flags, flag = array.array("l", [0]), {"i": 0x10, "a": 0x20}[letter]
file = os.open(path, os.O_RDONLY)
fcntl.ioctl(file, 0x80086601, flags)
flags[0] = flags[0] | flag if sign == "+" else flags[0] & ~flag
fcntl.ioctl(file, 0x40086602, flags)
"#;

/// With a flag of chattr(1) that root itself has set: on a file, on a directory, on one that only grows, and on one that got
/// its flag once the purge had looked. What is printed can be pasted.
fn a_file_that_nobody_can_remove_is_named(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "web")?;
    if !host.run(&["which", "chattr"])?.success() {
        host.write_file("/usr/local/bin/chattr", CHATTR)?;
        host.run_ok(&["chmod", "755", "/usr/local/bin/chattr"])?;
    }
    let data = "/var/lib/appctl/web/data";
    let purge = ["uninstall", "web", "--purge", "--yes"];
    stage.appctl_ok(&["install", "web", &directory, "--user", "work"])?;
    host.write_file(&format!("{data}/a b/kept"), "")?;
    for (flag, kept, typed) in [
        ("i", format!("{data}/a b/kept"), format!("chattr -i '{data}/a b/kept'")),
        ("i", format!("{data}/a b"), format!("chattr -i '{data}/a b'")),
        ("a", format!("{data}/a b"), format!("chattr -a '{data}/a b'")),
        (
            "i",
            "/var/lib/appctl/web".to_owned(),
            "chattr -i /var/lib/appctl/web".to_owned(),
        ),
    ] {
        host.run_ok(&["chattr", &format!("+{flag}"), &kept])?;
        let output = stage.appctl(&purge)?;
        ensure!(output.status == FAILED && output.stderr.contains(&typed), "{output:?}");
        ensure!(stage.activity("web@1.service")? == "active", "it was stopped");
        host.run_ok(&["sh", "-c", &typed])?;
    }
    stage.appctl_ok(&["uninstall", "web"])?;
    // Deeper than the purge looks: it meets it on its way, and the next one finishes.
    let deep = format!("{data}{}", "/d".repeat(70));
    host.run_ok(&["mkdir", "--parents", &deep])?;
    host.run_ok(&["chattr", "+i", &deep])?;
    let output = stage.appctl(&purge)?;
    let typed = output.stderr.split_once("chattr -i ").map(|(_, rest)| rest);
    let typed = typed
        .and_then(|rest| rest.split_once(", then: sudo "))
        .map(|(path, rest)| (path, rest.trim()));
    let Some((path, then)) = typed else {
        anyhow::bail!("{output:?}")
    };
    host.run_ok(&["sh", "-c", &format!("chattr -i {path} && {then}")])?;
    let left = host.run(&["find", "/var/lib/appctl", "-mindepth", "1"])?;
    ensure!(left.stdout.is_empty(), "left behind: {}", left.stdout);
    Ok(())
}

fn a_mount_stops_the_purge_of_the_package(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "web")?;
    stage.appctl_ok(&["install", "web", &directory])?;
    stage.appctl_ok(&["uninstall", "web"])?;
    let point = "/var/lib/private/appctl/web/data/my volume";
    bind(stage, point)?;
    let output = host.run(&["dpkg", "--purge", "appctl"])?;
    ensure!(!output.success(), "{output:?}");
    ensure!(
        output
            .stderr
            .contains("nothing was removed, because these are mount points"),
        "{output:?}"
    );
    ensure!(there(stage, "/var/lib/appctl/web/releases")?, "half of it was removed");
    host.run_ok(&["umount", point])?;
    host.run_ok(&["dpkg", "--purge", "appctl"])?;
    for path in [
        "/etc/appctl",
        "/var/lib/appctl",
        "/var/lib/private/appctl",
        "/run/appctl",
    ] {
        ensure!(!there(stage, path)?, "{path} stays");
    }
    ensure!(
        there(stage, &format!("{PRECIOUS}/kept"))?,
        "the purge went through a mount"
    );
    Ok(())
}
