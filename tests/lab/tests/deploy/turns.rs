//! Deploys and rollbacks in turn, under a load that forgives nothing.

use anyhow::{Result, ensure};
use appctl_lab::{Stage, on_each_debian};

use crate::chance::times;
use crate::scene::{RATE, deploy, ends_with, install, live, lossless, more, source_is, whole};

on_each_debian!(
    no_request_is_lost_to_deploys_and_rollbacks,
    a_careless_switch_does_lose_some
);

fn no_request_is_lost_to_deploys_and_rollbacks(stage: &Stage) -> Result<()> {
    install(stage.host(), 3, "bake = '500ms'\nkeep = 4")?;
    let (mut before, mut name) = (live(stage.host())?, "r0".to_owned());
    for turn in 1..=times(3, 30) {
        let pids = whole(stage, 3)?;
        let new = format!("r{turn}");
        source_is(stage.host(), &new)?;
        // Each of them under a load of its own: both releases must be seen in it.
        let load = stage.load(3000, RATE);
        more(&load, 100)?;
        let output = deploy(stage, &[])?;
        ends_with(&output, 0, "is live: 3 instances replaced")?;
        more(&load, 100)?;
        let after = whole(stage, 3)?;
        let report = load.stop();
        lossless(&report)?;
        let both = [&name, &new].iter().all(|name| report.releases.contains_key(*name));
        ensure!(
            both && report.releases.len() == 2,
            "not from {name} to {new}:\n{report}"
        );
        ensure!(pids.iter().all(|pid| !after.contains(pid)), "{pids:?}, then {after:?}");
        ensure!(live(stage.host())? != before, "the same release");
        name = back(stage, &name, &new)?;
        before = live(stage.host())?;
    }
    Ok(())
}

/// Back to `old` under load; gives the name of what serves then.
fn back(stage: &Stage, old: &str, new: &str) -> Result<String> {
    let load = stage.load(3000, RATE);
    more(&load, 100)?;
    ends_with(&stage.appctl(&["revert", "myapp", "1"])?, 0, "goes back to release")?;
    more(&load, 100)?;
    let report = load.stop();
    lossless(&report)?;
    let both = [old, new].iter().all(|name| report.releases.contains_key(*name));
    ensure!(both, "not from {new} back to {old}:\n{report}");
    whole(stage, 3)?;
    Ok(old.to_owned())
}

/// What everyone does by hand, for comparison: the link first, and then everything at once, with the port closed between.
fn a_careless_switch_does_lose_some(stage: &Stage) -> Result<()> {
    install(stage.host(), 2, "bake = '0s'")?;
    let load = stage.load(3000, RATE);
    more(&load, 100)?;
    stage.appctl_ok(&["stop", "myapp"])?;
    stage.appctl_ok(&["start", "myapp"])?;
    more(&load, 100)?;
    let report = load.stop();
    ensure!(report.lost() > 0, "the load forgives too much:\n{report}");
    Ok(())
}
