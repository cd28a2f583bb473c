//! What stays of an app, or of a part of it, that was taken away: nothing that runs, and nothing in the way of the next.

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};
use std::process::Child;

use crate::LIMIT;

on_each_debian!(
    uninstall_and_install_again_and_again,
    each_unit_of_an_app_that_is_down_ends_with_it,
    what_lost_its_files_is_in_nobodys_way,
    no_change_leaves_a_unit_behind,
);

const FILE: &str = "/etc/appctl/apps/myapp.toml";
const APPLIED: &str = "/etc/appctl/applied/myapp.toml";

fn installed(stage: &Stage, instances: &str) -> Result<()> {
    let install = [
        "install",
        "myapp",
        "/srv/myapp",
        "--user",
        "work",
        "--instances",
        instances,
    ];
    stage.appctl_ok(&install).map(drop)
}

/// Units of the app that systemd lists in one of these states, or in any.
fn units(stage: &Stage, state: Option<&str>) -> Result<Vec<String>> {
    let state = state.map(|state| format!("--state={state}"));
    let mut words = vec!["list-units", "--all", "--plain", "--no-legend"];
    words.extend(state.as_deref());
    words.extend(["myapp.*", "myapp@*", "appctl-myapp.slice"]);
    let listed = stage.systemctl(&words)?;
    Ok(listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}

fn up(stage: &Stage) -> Result<Vec<String>> {
    units(stage, Some("active,activating,deactivating,failed"))
}

/// So often in every run; many times with `APPCTL_TORTURE=full`.
fn cycles() -> u32 {
    let torture = std::env::var("APPCTL_TORTURE").is_ok_and(|torture| torture == "full");
    if torture { 200 } else { 15 }
}

/// Connections come all the time, also while it stops.
fn uninstall_and_install_again_and_again(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    let _load = stage.load(3000, Shape::OnePerConnection { rate: Some(200.0) });
    for cycle in 1..=cycles() {
        installed(stage, "2")?;
        stage.appctl_ok(&["uninstall", "myapp"])?;
        let left = units(stage, None)?;
        ensure!(left.is_empty(), "left behind in cycle {cycle}: {left:?}");
    }
    Ok(())
}

/// What is generated for an app besides what it asks for, each by what no other unit stops along with it.
const EACH: [&[&str]; 4] = [
    &["myapp.hold.service"],
    &["myapp.socket"],
    &["myapp.retry@1.service"],
    &["myapp@surge.service", "myapp@9.service"],
];

/// Whatever a stop has left up, uninstall ends, and so does an installation when the files went first: systemd looks at
/// `StopWhenUnneeded=` once, and drops that look when another job is in its way or units are read again. Here each unit is
/// up by itself, without the drop of chance.
fn each_unit_of_an_app_that_is_down_ends_with_it(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    for alone in EACH {
        up_by_themselves(stage, alone)?;
        stage.appctl_ok(&["uninstall", "myapp"])?;
        let left = units(stage, None)?;
        ensure!(left.is_empty(), "{alone:?}: left behind: {left:?}");

        up_by_themselves(stage, alone)?;
        stage.host().run_ok(&["rm", FILE, APPLIED])?;
        stage.systemctl(&["daemon-reload"])?;
        installed(stage, "1")?;
        let others = up(stage)?;
        let own = [
            "myapp.hold.service",
            "myapp.service",
            "myapp.socket",
            "myapp@1.service",
            "appctl-myapp.slice",
        ];
        ensure!(
            others.iter().all(|unit| own.contains(&unit.as_str())),
            "{alone:?}: {others:?}"
        );
        stage.appctl_ok(&["uninstall", "myapp"])?;
        let left = units(stage, None)?;
        ensure!(left.is_empty(), "{alone:?}, orphans: left behind: {left:?}");
    }
    Ok(())
}

/// An app that is installed and stopped, but for these units.
fn up_by_themselves(stage: &Stage, alone: &[&str]) -> Result<()> {
    installed(stage, "1")?;
    stage.appctl_ok(&["stop", "myapp"])?;
    // Units that nothing needs, and one that ends at once where no instance has failed, stay up by these.
    let (unneeded, slow) = (
        "[Unit]\nStopWhenUnneeded=no\n",
        "[Service]\nExecStartPre=/bin/sleep 1000\n",
    );
    let drop_ins = [
        ("myapp.hold.service", unneeded),
        ("myapp.socket", unneeded),
        ("myapp.retry@.service", slow),
    ];
    for (kept, text) in drop_ins {
        stage.drop_in(kept, text)?;
    }
    stage.systemctl(&[&["start", "--no-block"], alone].concat())?;
    until("they are up", LIMIT, || {
        let states = stage.activities(alone)?;
        let up = |state: &String| ["activating", "active"].contains(&state.as_str());
        Ok(states.iter().all(up).then_some(()))
    })?;
    for (kept, _) in drop_ins {
        let drop_in = format!("/etc/systemd/system/{kept}.d");
        stage.host().run_ok(&["rm", "--recursive", &drop_in])?;
    }
    Ok(())
}

/// An operator has removed the files of an app that runs. A new installation ends what is left, and serves.
fn what_lost_its_files_is_in_nobodys_way(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    installed(stage, "3")?;
    stage.host().run_ok(&["rm", FILE, APPLIED])?;
    stage.systemctl(&["daemon-reload"])?;
    let orphan = "myapp.hold.service";
    ensure!(
        stage.property(orphan, "LoadState")? == "not-found" && stage.activity(orphan)? == "active",
        "no orphan to begin with: {:?}",
        units(stage, None)?
    );
    installed(stage, "1")?;
    ensure!(stage.pids("myapp")?.len() == 1);
    let third = stage.activity("myapp@3.service")?;
    ensure!(third == "inactive", "the old instance 3 is {third}");
    stage.appctl_ok(&["uninstall", "myapp", "--purge", "--yes"])?;
    let left = units(stage, None)?;
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

/// Fewer instances, no address any more, and a rollout that was killed while its surge instance was up.
fn no_change_leaves_a_unit_behind(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    installed(stage, "3")?;
    stage.appctl_ok(&["scale", "myapp", "1"])?;
    let only = ["myapp.hold.service", "myapp.service", "myapp.socket", "myapp@1.service"];
    let expected = |listen: bool| {
        let all = only
            .iter()
            .filter(|unit| listen || unit.ends_with("p.service") || unit.contains('@'));
        let mut all: Vec<String> = all.map(ToString::to_string).collect();
        all.push("appctl-myapp.slice".to_owned());
        all.sort();
        all
    };
    is_up(stage, "scale", &expected(true))?;

    let rollout = surging(stage)?;
    let text = stage.host().read_file(FILE)?;
    stage
        .host()
        .write_file(FILE, &text.replace("listen = 3000", "listen = 3001"))?;
    killed(stage, rollout)?;
    stage.appctl(&["apply", "myapp"])?;
    stage.appctl_ok(&["abort", "myapp"])?;
    let worker = format!("{}\n[ready]\nwhen = \"started\"\n", text.replace("listen = 3000\n", ""));
    stage.host().write_file(FILE, &worker)?;
    stage.appctl_ok(&["apply", "myapp"])?;
    is_up(stage, "an apply without addresses", &expected(false))?;
    stage.host().write_file(FILE, &text)?;
    stage.appctl_ok(&["apply", "myapp"])?;
    is_up(stage, "an apply with an address again", &expected(true))?;

    let rollout = surging(stage)?;
    killed(stage, rollout)?;
    stage.appctl_ok(&["uninstall", "myapp"])?;
    let left = units(stage, None)?;
    ensure!(left.is_empty(), "left behind: {left:?}");
    installed(stage, "1")
}

fn is_up(stage: &Stage, after: &str, expected: &[String]) -> Result<()> {
    let mut up = up(stage)?;
    up.sort();
    ensure!(up == expected, "after {after}: {up:?}");
    Ok(())
}

/// A rollout whose surge instance is on its way.
fn surging(stage: &Stage) -> Result<Child> {
    let rollout = stage.host().spawn(&["appctl", "rolling-restart", "myapp"])?;
    until("the surge instance", LIMIT, || {
        Ok(["activating", "active"]
            .contains(&stage.activity("myapp@surge.service")?.as_str())
            .then_some(()))
    })?;
    Ok(rollout)
}

fn killed(stage: &Stage, mut rollout: Child) -> Result<()> {
    stage.host().run(&["pkill", "--signal", "KILL", "--exact", "appctl"])?;
    rollout.wait()?;
    Ok(())
}
