//! A few instances first: watched, promoted, taken back, and left alone.

use anyhow::{Context, Result, ensure};
use appctl_lab::running::Running;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::scene::{RATE, SOURCE, deploy, ends_with, install, live, lossless, more, source_is, status, whole};

on_each_debian!(
    canaries_run_alone_until_they_are_promoted,
    a_canary_that_crashes_is_taken_back
);

const DEPLOY: [&str; 7] = ["deploy", "myapp", SOURCE, "--canary", "1", "--bake", "10min"];

/// Starts a deploy and follows it until its canary is watched.
fn baking(stage: &Stage) -> Result<Running<'_>> {
    let mut running = Running::start(stage, &DEPLOY)?;
    while let Some(step) = running.next_step()? {
        if step.starts_with("watch the canaries") {
            return Ok(running);
        }
    }
    anyhow::bail!("it never watched its canary: {:?}", running.wait()?)
}

/// Instance 1 is on another release than the others, and the live one has not moved.
fn one_is_new(stage: &Stage, old: &str) -> Result<()> {
    let state = status(stage.host())?;
    let list = state["instances"].as_array().context("a list")?;
    let new = |one: &serde_json::Value| one["release"] != old;
    let right = list.iter().all(|one| new(one) == (one["instance"] == "1")) && list.len() == 3;
    ensure!(right && live(stage.host())? == old, "{state}");
    Ok(())
}

fn canaries_run_alone_until_they_are_promoted(stage: &Stage) -> Result<()> {
    install(stage.host(), 3, "bake = '300ms'")?;
    under_load(stage, ["r0", "r1"], promoted)?;
    under_load(stage, ["r1", "r2"], taken_back)?;
    under_load(stage, ["r1", "r3"], left_alone)
}

/// From the first release to the second; both serve, and nothing is lost.
fn under_load(stage: &Stage, [old, new]: [&str; 2], play: fn(&Stage, &str) -> Result<()>) -> Result<()> {
    let load = stage.load(3000, RATE);
    more(&load, 100)?;
    source_is(stage.host(), new)?;
    play(stage, &live(stage.host())?)?;
    more(&load, 200)?;
    let report = load.stop();
    lossless(&report)?;
    let seen = [old, new].iter().all(|name| report.releases.contains_key(*name));
    ensure!(seen, "not both of {old} and {new} served:\n{report}");
    whole(stage, 3).map(drop)
}

fn promoted(stage: &Stage, old: &str) -> Result<()> {
    let running = baking(stage)?;
    one_is_new(stage, old)?;
    ends_with(&stage.appctl(&["promote", "myapp"])?, 0, "promoted")?;
    ensure!(running.wait()?.code == Some(0), "not promoted");
    ensure!(live(stage.host())? != old, "not live");
    Ok(())
}

fn taken_back(stage: &Stage, old: &str) -> Result<()> {
    let running = baking(stage)?;
    ends_with(&stage.appctl(&["abort", "myapp"])?, 0, "taken back")?;
    let ending = running.wait()?;
    ensure!(ending.code == Some(4), "{ending:?}");
    ensure!(live(stage.host())? == old, "it is live");
    Ok(())
}

/// Ctrl-C leaves the canary; nothing else is rolled meanwhile; it is promoted later.
fn left_alone(stage: &Stage, old: &str) -> Result<()> {
    let running = baking(stage)?;
    running.signal("INT")?;
    let ending = running.wait()?;
    let said = ending.said.last().map(ToString::to_string).unwrap_or_default();
    ensure!(
        ending.code == Some(1) && said.contains("appctl promote myapp"),
        "{ending:?}"
    );
    one_is_new(stage, old)?;
    let notes = status(stage.host())?["notes"].to_string();
    ensure!(notes.contains("its canaries run unwatched"), "{notes}");
    ends_with(&stage.appctl(&["rolling-restart", "myapp"])?, 7, "not finished")?;
    ends_with(&stage.appctl(&["scale", "myapp", "4"])?, 7, "not finished")?;
    one_is_new(stage, old)?;
    ends_with(&stage.appctl(&["promote", "myapp"])?, 0, "is live")?;
    ensure!(live(stage.host())? != old, "not live");
    Ok(())
}

fn a_canary_that_crashes_is_taken_back(stage: &Stage) -> Result<()> {
    install(stage.host(), 3, "bake = '300ms'")?;
    let old = live(stage.host())?;
    source_is(stage.host(), "r1")?;
    let running = baking(stage)?;
    let pid = stage.members("myapp")?["1"].pid.context("a pid")?.to_string();
    stage.host().run_ok(&["kill", "-KILL", &pid])?;
    let ending = running.wait()?;
    ensure!(ending.code == Some(4), "{ending:?}");
    ensure!(live(stage.host())? == old, "it is live");
    whole(stage, 3)?;
    ends_with(
        &deploy(stage, &["--canary", "3"])?,
        2,
        "none would stay on the old release",
    )?;
    ends_with(&deploy(stage, &[])?, 4, "is bad")
}
