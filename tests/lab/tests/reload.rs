//! `systemctl reload` is a rolling restart, and what a rolling restart does for an instance that begins.

use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::until;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    reload_replaces_one_after_the_other,
    an_instance_has_a_larger_share_while_it_begins_and_not_for_long,
    an_instance_whose_rollout_was_killed_ends_with_the_usual_share
);

const PATIENCE: Duration = Duration::from_secs(20);
const TURNS: Duration = Duration::from_mins(2);
/// The nice value of a session that is given a larger share.
const HASTE: i32 = -10;

fn installed(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", "/srv/myapp", "--instances", "4", "--user", "work"])?;
    Ok(())
}

fn reload_replaces_one_after_the_other(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let before = stage.pids("myapp")?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    stage.host().run_ok(&["systemctl", "reload", "myapp"])?;
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    all_replaced(&before, &stage.pids("myapp")?)?;
    let surge = stage.host().run(&["systemctl", "is-active", "myapp@surge"])?.stdout;
    ensure!(surge.trim_end() == "inactive", "the surge instance is {surge}");
    // Old, new and the surge instance.
    ensure!(report.pids.len() > 5, "not one after the other:\n{report}");
    Ok(())
}

/// `/autogroup-123 nice -10` of sched(7); the share goes by it while all processors are busy.
fn nice(stage: &Stage, pid: u64) -> Result<i32> {
    let text = stage.host().read_file(&format!("/proc/{pid}/autogroup"))?;
    let number = text
        .split_whitespace()
        .last()
        .context("an autogroup tells its nice value")?;
    Ok(number.parse()?)
}

/// The nice values of the instances in that state.
fn shares(stage: &Stage, state: &str) -> Result<Vec<i32>> {
    let members = stage.members("myapp")?.into_values();
    let shims = members
        .filter(|member| member.state == state)
        .filter_map(|member| member.shim_pid);
    // One that has gone meanwhile has no share any more.
    Ok(shims.filter_map(|pid| nice(stage, pid).ok()).collect())
}

/// Starts a rollout, until an instance has the larger share.
fn rolling(stage: &Stage) -> Result<Child> {
    let child = stage.host().spawn(&["appctl", "rolling-restart", "myapp"])?;
    let raised = || Ok(shares(stage, "starting")?.contains(&HASTE).then_some(()));
    until("an instance that begins with a larger share", PATIENCE, raised)?;
    Ok(child)
}

/// Each instance starts for two seconds, one of them with the larger share.
fn installed_slow(stage: &Stage) -> Result<()> {
    stage.bring("slow-start", "myapp")?;
    stage.appctl_ok(&["install", "myapp", "/srv/myapp", "--instances", "2", "--user", "work"])?;
    ensure!(shares(stage, "ready")? == [0, 0], "before any rollout");
    Ok(())
}

fn an_instance_has_a_larger_share_while_it_begins_and_not_for_long(stage: &Stage) -> Result<()> {
    installed_slow(stage)?;
    let rolled = rolling(stage)?;
    let settled = || Ok(shares(stage, "starting")?.contains(&0).then_some(()));
    until("the usual share before it is ready", PATIENCE, settled)?;
    ensure!(rolled.wait_with_output()?.status.success(), "the rollout failed");
    ensure!(shares(stage, "ready")? == [0, 0], "{:?}", shares(stage, "ready")?);
    Ok(())
}

fn an_instance_whose_rollout_was_killed_ends_with_the_usual_share(stage: &Stage) -> Result<()> {
    installed_slow(stage)?;
    // A busy machine may take longer for the kill than the larger share lasts.
    until("nobody was left to take the share back", TURNS, || {
        killed_in_time(stage)
    })?;
    // Other rollouts go on beside it: while root changes shares, the kernel lets no shim do so, and for a moment after.
    let others = "for i in $(seq 80); do echo 0 >/proc/self/autogroup; sleep 0.05; done";
    let others = stage.host().spawn(&["sh", "-c", others])?;
    let ready = || Ok((shares(stage, "ready")?.len() == 3).then_some(()));
    until("the surge instance is ready", PATIENCE, ready)?;
    ensure!(others.wait_with_output()?.status.success());
    let ready = || Ok((shares(stage, "ready")? == [0, 0, 0]).then_some(()));
    until("the surge instance with the usual share", PATIENCE, ready)?;
    stage.appctl_ok(&["abort", "myapp"]).map(drop)
}

fn killed_in_time(stage: &Stage) -> Result<Option<()>> {
    let mut rolled = rolling(stage)?;
    stage
        .host()
        .run_ok(&["pkill", "--signal", "KILL", "--exact", "appctl"])?;
    rolled.wait()?;
    if shares(stage, "starting")? == [HASTE] {
        return Ok(Some(()));
    }
    stage.appctl_ok(&["abort", "myapp"])?;
    Ok(None)
}
