//! Deploys and rollbacks in turn, under a load that forgives nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Plan, Shape, Target};
use appctl_lab::patience::until;
use appctl_lab::running::Running;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::chance::times;
use crate::scene::{RATE, deploy, ends_with, install, live, lossless, more, source_is, whole};

on_each_debian!(
    no_request_is_lost_to_deploys_and_rollbacks,
    a_rollout_tells_what_it_waited_for,
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
    ends_with(&stage.appctl(&["revert", "myapp", "1"])?, 0, "going back to release")?;
    more(&load, 100)?;
    let report = load.stop();
    lossless(&report)?;
    let both = [old, new].iter().all(|name| report.releases.contains_key(*name));
    ensure!(both, "not from {new} back to {old}:\n{report}");
    whole(stage, 3)?;
    Ok(old.to_owned())
}

/// Requests that take longer than the new release needs to come up, all on the only instance.
fn slow_ones(stage: &Stage, count: usize) -> Result<Load> {
    let target = Target::Tcp(([127, 0, 0, 1], 3000).into());
    let handler = Duration::from_secs(8);
    let plan = Plan::new(target, Shape::SlowResponse { handler }).connections(count);
    let load = Load::start(plan.requests(count as u64).timeout(Duration::from_secs(60)));
    let established = [
        "ss",
        "--no-header",
        "--tcp",
        "state",
        "established",
        "sport",
        "=",
        ":3000",
    ];
    until("all are under way", Duration::from_secs(30), || {
        let text = stage.host().run_ok(&established)?;
        Ok((text.lines().count() >= count).then_some(()))
    })?;
    Ok(load)
}

fn a_rollout_tells_what_it_waited_for(stage: &Stage) -> Result<()> {
    install(stage.host(), 1, "bake = '0s'")?;
    source_is(stage.host(), "r1")?;
    let slow = slow_ones(stage, 3)?;
    ends_with(&deploy(stage, &[])?, 0, "waited for 3 requests in flight, cut none")?;
    let report = slow.wait();
    ensure!(report.counts.ok == 3 && report.releases.keys().eq(["r0"]), "{report}");
    let slow = slow_ones(stage, 1)?;
    let ending = Running::start(stage, &["rollback", "myapp"])?.wait()?;
    let end = ending.said.last().context("an end")?;
    ensure!(end["requests_waited_for"] == 1 && end["requests_cut"] == 0, "{end}");
    ensure!(slow.wait().counts.ok == 1, "it was not answered");
    // What earlier ones waited for is no longer told.
    source_is(stage.host(), "r2")?;
    ends_with(&deploy(stage, &["--json"])?, 0, "\"requests_waited_for\":0")
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
