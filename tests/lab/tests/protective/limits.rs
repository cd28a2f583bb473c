//! Limits of systemd that would close the port of a whole app over one of its instances.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{EACH, LIMIT, install, load};

on_each_debian!(start_limit, without_start_limit, trigger_limit, without_trigger_limit,);

fn restarts_that_worked(stage: &Stage) -> Result<usize> {
    let mut worked = 0;
    for _ in 0..8 {
        worked += usize::from(
            stage
                .host()
                .run(&["systemctl", "restart", "myapp@1.service"])?
                .success(),
        );
    }
    Ok(worked)
}

/// An instance that reached the limit would take the socket of all with it.
fn start_limit(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    ensure!(restarts_that_worked(stage)? == 8);
    ensure!(stage.activity("myapp.socket")? == "active");
    Ok(())
}

fn without_start_limit(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.drop_in(
        "myapp@.service",
        "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=5\n",
    )?;
    ensure!(restarts_that_worked(stage)? < 8, "the line makes no difference");
    ensure!(stage.property("myapp.socket", "Result")? == "service-start-limit-hit");
    Ok(())
}

/// An instance flaps while connections storm in.
fn flaps(stage: &Stage) -> Result<String> {
    let load = load(EACH);
    until("answers", LIMIT, || Ok((load.answered() > 50).then_some(())))?;
    let script = "for i in $(seq 80); do systemctl kill --signal=KILL myapp@1.service; sleep 0.02; done";
    stage.host().run_ok(&["sh", "-c", script])?;
    drop(load);
    stage.activity("myapp.socket")
}

/// Over 20 looks at the socket within two seconds would close it for good.
fn trigger_limit(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let socket = flaps(stage)?;
    ensure!(socket == "active", "the socket is {socket}");
    Ok(())
}

fn without_trigger_limit(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    // The default burst over a longer time: two busy cores cannot flap as fast as a real server. PollLimit= of systemd
    // 255 slows PID 1 down before it gives up, which only makes it rarer.
    let text = "[Socket]\nTriggerLimitIntervalSec=60s\nTriggerLimitBurst=20\nPollLimitIntervalSec=0\n";
    stage.drop_in("myapp.socket", text)?;
    let socket = flaps(stage)?;
    ensure!(
        socket == "failed",
        "the line makes no difference, the socket is {socket}"
    );
    Ok(())
}
