//! What the verbs answer when there is nothing to do, something is wrong, or someone else is at it.

use anyhow::{Context, Result, ensure};
use appctl_lab::running::Running;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::scene::{SOURCE, deploy, ends_with, install, live, releases, source_is, whole};

on_each_debian!(
    nothing_new_touches_nothing,
    a_second_deploy_is_refused_or_waits,
    a_rollback_to_nowhere,
    without_releases
);

fn nothing_new_touches_nothing(stage: &Stage) -> Result<()> {
    install(stage.host(), 2, "bake = '0s'")?;
    source_is(stage.host(), "r1")?;
    let dry = deploy(stage, &["--dry-run"])?;
    ends_with(&dry, 0, "would start the surge instance")?;
    ensure!(releases(stage.host())?.len() == 1, "a dry run made a release");
    ends_with(&deploy(stage, &[])?, 0, "is live")?;
    let pids = whole(stage, 2)?;
    let jobs = || {
        stage
            .host()
            .run_ok(&["sh", "-c", "journalctl -o cat --unit=init.scope -u 'myapp*' | wc -l"])
    };
    let before = jobs()?;
    ends_with(&deploy(stage, &[])?, 0, "nothing to do")?;
    ends_with(
        &stage.appctl(&["rollback", "myapp", &live(stage.host())?])?,
        0,
        "nothing to do",
    )?;
    ensure!(whole(stage, 2)? == pids && jobs()? == before, "something was touched");
    // The content counts, not when it was written.
    stage.host().run_ok(&["touch", "/srv/myapp/server.js"])?;
    ends_with(&deploy(stage, &[])?, 0, "nothing to do")?;
    stage.appctl_ok(&["stop", "myapp"])?;
    source_is(stage.host(), "r2")?;
    ends_with(&deploy(stage, &[])?, 0, "the app is stopped")?;
    stage.appctl_ok(&["start", "myapp"])?;
    let after = live(stage.host())?;
    whole(stage, 2)?;
    let served = stage
        .host()
        .read_file(&format!("/var/lib/appctl/myapp/releases/{after}/release.txt"))?;
    ensure!(served == "r2", "{served}");
    Ok(())
}

fn a_second_deploy_is_refused_or_waits(stage: &Stage) -> Result<()> {
    install(stage.host(), 2, "bake = '0s'")?;
    source_is(stage.host(), "r1")?;
    let mut first = Running::start(stage, &["deploy", "myapp", SOURCE])?;
    first.reach(1)?.context("a second step")?;
    let output = deploy(stage, &[])?;
    ends_with(&output, 7, &format!("deploy by root (process {})", first.pid()))?;
    ends_with(&stage.appctl(&["prune", "myapp"])?, 7, "busy")?;
    source_is(stage.host(), "r2")?;
    let second = Running::start(stage, &["deploy", "myapp", SOURCE, "--wait"])?;
    ensure!(first.wait()?.code == Some(0), "the first failed");
    let ending = second.wait()?;
    ensure!(ending.code == Some(0), "{ending:?}");
    ensure!(
        ending.said.iter().any(|line| line.to_string().contains("waiting: ")),
        "{ending:?}"
    );
    ensure!(releases(stage.host())?.len() == 3, "{:?}", releases(stage.host())?);
    whole(stage, 2).map(drop)
}

fn a_rollback_to_nowhere(stage: &Stage) -> Result<()> {
    install(stage.host(), 1, "bake = '0s'")?;
    let pids = whole(stage, 1)?;
    for (words, code, said) in [
        (&["rollback", "myapp"][..], 5, "no release to go back to"),
        (&["rollback", "myapp", "-2"], 5, "not that many releases"),
        (
            &["rollback", "myapp", "20200101T000000Z"],
            5,
            "no release 20200101T000000Z",
        ),
        (&["rollback", "myapp", "../../etc"], 2, "expected a release ID"),
        (&["rollback", "nobody"], 5, "no app is called nobody"),
        (&["deploy", "nobody", SOURCE], 5, "appctl install nobody"),
        (&["deploy", "myapp", "/nowhere"], 3, "/nowhere"),
        (
            &["deploy", "myapp", SOURCE, "--canary", "1"],
            2,
            "none would stay on the old release",
        ),
        (&["promote", "myapp"], 0, "no canaries to promote"),
        (&["abort", "myapp"], 0, "nothing to abort"),
    ] {
        ends_with(&stage.appctl(words)?, code, said)?;
    }
    ensure!(whole(stage, 1)? == pids, "something was touched");
    Ok(())
}

fn without_releases(stage: &Stage) -> Result<()> {
    let path = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &path, "--in-place", "--user", "work"])?;
    for verb in ["deploy", "rollback", "releases", "prune"] {
        ends_with(&stage.appctl(&[verb, "myapp"])?, 3, "runs in place")?;
    }
    Ok(())
}
