//! An operator who changes their mind while a release is made, or while its task runs.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::running::Running;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::scene::{SOURCE, WANTED, deploy, ends_with, install, live, releases, source_is, whole};

on_each_debian!(an_interrupted_deploy_leaves_nothing_under_way);

const LIMIT: Duration = Duration::from_secs(20);

fn an_interrupted_deploy_leaves_nothing_under_way(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(host, 2, "bake = '0s'\nbuild = ['sleep', '7777']")?;
    let (old, pids) = (live(host)?, whole(stage, 2)?);
    source_is(host, "r1")?;
    left(stage, "interrupted; nothing was changed")?;
    ensure!(releases(host)?.len() == 1, "{:?}", releases(host)?);
    let kept = host.run_ok(&["ls", "-A", "/var/lib/appctl/myapp/releases"])?;
    ensure!(kept.trim() == old, "left over: {kept}");
    instead_of(stage, "build = ['sleep', '7777']", "release = ['sleep', '7777']")?;
    left(stage, "interrupted; no instance was touched")?;
    ensure!(
        live(host)? == old && whole(stage, 2)? == pids,
        "an instance was touched"
    );
    instead_of(stage, "release = ['sleep', '7777']", "release = ['true']")?;
    ends_with(&deploy(stage, &[])?, 0, "is live: 2 instances replaced")
}

/// A deploy that is left while the command runs: it says so, and the command ends with it.
fn left(stage: &Stage, says: &str) -> Result<()> {
    let sleeps = || Ok::<_, anyhow::Error>(stage.host().run(&["pgrep", "-x", "sleep"])?.success());
    let running = Running::start(stage, &["deploy", "myapp", SOURCE])?;
    until("the command runs", LIMIT, || Ok(sleeps()?.then_some(())))?;
    running.signal("INT")?;
    let ending = running.wait()?;
    let told = ending.said.last().map(|last| last["error"]["message"] == says);
    ensure!(ending.code == Some(1) && told == Some(true), "{ending:?}");
    until("the command is gone", LIMIT, || Ok((!sleeps()?).then_some(())))
}

fn instead_of(stage: &Stage, old: &str, new: &str) -> Result<()> {
    let text = stage.host().read_file(WANTED)?;
    stage.host().write_file(WANTED, &text.replace(old, new))?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}
