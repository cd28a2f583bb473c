//! Units that bear an app's name and are not the app's: no verb touches them.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    a_unit_of_a_package,
    a_unit_of_the_administrator,
    an_edited_copy,
    what_lost_its_file_can_be_stopped,
);

const SLEEPER: &str = "[Service]\nExecStart=/bin/sleep infinity\n";
const APP: &str = "exec = \"/bin/sleep infinity\"\nready = { when = \"started\" }\n";
const INVALID: i32 = 3;

/// An app that serves, and a foreign unit that runs, whose name somebody gave to an app's file, too.
fn foreign(stage: &Stage, path: &str, unit: &str) -> Result<String> {
    let directory = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &directory, "--user", "work"])?;
    stage.host().write_file(path, SLEEPER)?;
    stage.systemctl(&["daemon-reload"])?;
    stage.systemctl(&["start", unit])?;
    stage.host().write_file("/etc/appctl/apps/house.toml", APP)?;
    stage.systemctl(&["daemon-reload"])?;
    stage.property(unit, "InvocationID")
}

/// Every verb that names the app is refused, every verb for all apps leaves it out, and its unit runs on as it was.
fn no_verb_touches(stage: &Stage, unit: &str, run: &str) -> Result<()> {
    let untouched = |verb: &str| {
        ensure!(stage.property(unit, "InvocationID")? == run, "{verb} touched {unit}");
        ensure!(stage.activity(unit)? == "active", "{verb} stopped {unit}");
        Ok(())
    };
    for words in [
        &["stop", "house"][..],
        &["start", "house"],
        &["restart", "house"],
        &["rolling-restart", "house"],
        &["scale", "house", "2"],
        &["deploy", "house", "/srv/myapp"],
        &["rollback", "house"],
        &["resume", "house"],
        &["apply", "house"],
        &["apply"],
        &["check", "/etc/appctl/apps/house.toml"],
        &["install", "house", "/srv/myapp", "--listen", "4000"],
    ] {
        let output = stage.appctl(words)?;
        ensure!(output.status == INVALID, "appctl {words:?}: {output:?}");
        let known = words[0] == "install" || output.stderr.contains(unit.split('@').next().unwrap_or_default());
        ensure!(known, "which unit? appctl {words:?}: {output:?}");
        untouched(&words.join(" "))?;
    }
    for verb in ["restart", "rolling-restart", "stop", "start"] {
        let output = stage.appctl(&[verb, "all"])?;
        ensure!(
            output.success() && output.stderr.contains("house is skipped"),
            "{output:?}"
        );
        untouched(&format!("{verb} all"))?;
    }
    ensure!(stage.activity("myapp@1.service")? == "active", "the app beside it");
    stage.appctl_ok(&["uninstall", "house"])?;
    untouched("uninstall")?;
    let file = stage.host().run(&["test", "-e", "/etc/appctl/apps/house.toml"])?;
    ensure!(!file.success(), "the app's own file is still there");
    Ok(())
}

fn a_unit_of_a_package(stage: &Stage) -> Result<()> {
    let run = foreign(stage, "/usr/lib/systemd/system/house.service", "house.service")?;
    no_verb_touches(stage, "house.service", &run)
}

/// A template, so that it is the pattern for instances which finds it.
fn a_unit_of_the_administrator(stage: &Stage) -> Result<()> {
    let run = foreign(stage, "/etc/systemd/system/house@.service", "house@1.service")?;
    no_verb_touches(stage, "house@1.service", &run)
}

/// `systemctl edit --full`: from then on that unit is the administrator's. Nothing is done to it, nor to the others half
/// way.
fn an_edited_copy(stage: &Stage) -> Result<()> {
    let directory = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    let (generated, copy) = (
        "/run/systemd/generator/myapp.service",
        "/etc/systemd/system/myapp.service",
    );
    stage.host().run_ok(&["cp", generated, copy])?;
    stage.systemctl(&["daemon-reload"])?;
    let before = stage.pids("myapp")?;
    let output = stage.appctl(&["stop", "myapp"])?;
    ensure!(output.status == INVALID && output.stderr.contains(copy), "{output:?}");
    ensure!(stage.pids("myapp")? == before, "some were stopped");
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    stage.host().run_ok(&["rm", copy])?;
    stage.systemctl(&["daemon-reload"])?;
    // A drop-in changes nothing of whose it is.
    stage.drop_in("myapp.service", "[Unit]\nDescription=mine\n")?;
    stage.appctl_ok(&["stop", "myapp"]).map(drop)
}

/// Units without a file, and masked ones, are still the app's as long as they run where its units run.
fn what_lost_its_file_can_be_stopped(stage: &Stage) -> Result<()> {
    let directory = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    stage.systemctl(&["mask", "myapp@1.service"])?;
    for file in ["/etc/appctl/applied/myapp.toml", "/etc/appctl/apps/myapp.toml"] {
        stage.host().write_file(file, "exec = \n")?;
    }
    stage.systemctl(&["daemon-reload"])?;
    ensure!(stage.property("myapp@2.service", "LoadState")? == "not-found");
    stage.appctl_ok(&["stop", "myapp"])?;
    let states = stage.activities(&["myapp@1.service", "myapp@2.service", "myapp.service"])?;
    ensure!(states.iter().all(|state| state != "active"), "{states:?}");
    stage.appctl_ok(&["uninstall", "myapp", "--purge", "--yes"]).map(drop)
}
