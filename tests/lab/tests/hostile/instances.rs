//! `systemctl start NAME@…` with names that are no instance's, or none of those there should be.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::throughout;
use appctl_lab::running::Running;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(start_by_any_name);

/// Files of root's beside the instances' directories are called like this.
const NAMES: [&str; 9] = [
    "pin",
    "lock",
    "rollout.json",
    "instance",
    "0",
    "x",
    "..",
    "01",
    "surge.json",
];

fn files(stage: &Stage) -> Result<String> {
    let script =
        "cd /run/appctl/myapp && stat -c '%n %U %a %F' . $(ls -A | grep -v instance) && find pin -printf '%p %u %l\\n'";
    stage.host().run_ok(&["sh", "-c", script])
}

/// A rollout that is held: its lock, its record, and a pin for its canary.
fn watched<'s>(stage: &'s Stage, app: &str) -> Result<Running<'s>> {
    stage.host().write_file(&format!("{app}/release.txt"), "2")?;
    let mut canary = Running::start(stage, &["deploy", "myapp", app, "--canary", "1", "--bake", "10min"])?;
    while let Some(step) = canary.next_step()? {
        if step.starts_with("watch the canaries") {
            return Ok(canary);
        }
    }
    bail!("it never watched its canary: {:?}", canary.wait()?)
}

fn start_by_any_name(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &app, "--instances", "2", "--user", "work"])?;
    let file = "/etc/appctl/apps/myapp.toml";
    let text = stage.host().read_file(file)?;
    stage
        .host()
        .write_file(file, &format!("{text}\n[deploy]\nbake = \"300ms\"\n"))?;
    stage.appctl_ok(&["apply", "myapp"])?;
    let canary = watched(stage, &app)?;
    let before = files(stage)?;
    ensure!(before.contains("pin/1 root "), "no pin: {before}");
    for name in NAMES {
        let output = stage
            .host()
            .run(&["systemctl", "start", &format!("myapp@{name}.service")])?;
        ensure!(!output.success(), "{name} was started: {output:?}");
    }
    ensure!(files(stage)? == before, "{before}\nthen\n{}", files(stage)?);
    let busy = stage.appctl(&["rolling-restart", "myapp"])?;
    ensure!(busy.status == 7, "the lock is gone: {busy:?}");
    let failed = || {
        stage.host().run_ok(&[
            "sh",
            "-c",
            "journalctl -o cat -u 'myapp@x.service' | grep -c 'no instance is called'",
        ])
    };
    let tries = failed()?;
    throughout(Duration::from_secs(3), || Ok(()))?;
    ensure!(failed()? == tries, "it is tried again and again");
    stage.appctl_ok(&["promote", "myapp"])?;
    ensure!(canary.wait()?.code == Some(0), "not promoted");
    extra_instances(stage)
}

/// They serve as long as nobody ends them, and are in nobody's way.
fn extra_instances(stage: &Stage) -> Result<()> {
    for name in ["99", "surge"] {
        stage.systemctl(&["start", &format!("myapp@{name}.service")])?;
    }
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    let report = load.stop();
    ensure!(report.lost() == 0, "{report}");
    stage.appctl_ok(&["stop", "myapp"])?;
    for unit in [
        "myapp@99.service",
        "myapp@surge.service",
        "myapp@1.service",
        "myapp.socket",
    ] {
        ensure!(
            stage.activity(unit)? == "inactive",
            "{unit} is {}",
            stage.activity(unit)?
        );
    }
    stage.appctl_ok(&["start", "myapp"])?;
    stage.appctl_ok(&["uninstall", "myapp"])?;
    let left = stage.host().run(&["ls", "-A", "/run/appctl/myapp"])?;
    ensure!(left.stdout.is_empty(), "{left:?}");
    Ok(())
}
