//! Ends: requests under way are finished, and a stop is a stop.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use appctl_lab::load::{Report, Shape};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{EACH, LIMIT, both_up, damaged, install, intact, load};

on_each_debian!(
    kill_mode,
    without_kill_mode,
    stop_when_unneeded,
    without_stop_when_unneeded,
    hold_service,
    without_hold_service,
);

fn one_restart(stage: &Stage) -> Result<Report> {
    let load = load(Shape::SlowResponse {
        handler: Duration::from_millis(300),
    });
    until("answers", LIMIT, || Ok((load.answered() > 50).then_some(())))?;
    stage.systemctl(&["restart", "myapp"])?;
    both_up(stage)?;
    Ok(load.stop())
}

/// The stop request goes to the shim, which drains first, and not to the app.
fn kill_mode(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    intact(&one_restart(stage)?)
}

fn without_kill_mode(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.drop_in("myapp@.service", "[Service]\nKillMode=control-group\n")?;
    damaged(&one_restart(stage)?)
}

/// A stopped app has no open port.
fn stop_when_unneeded(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.systemctl(&["stop", "myapp"])?;
    until("the port is closed", LIMIT, || {
        Ok(TcpStream::connect(("127.0.0.1", 3000)).err())
    })?;
    ensure!(stage.activity("myapp.socket")? == "inactive");
    Ok(())
}

fn without_stop_when_unneeded(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.drop_in("myapp.socket", "[Unit]\nStopWhenUnneeded=no\n")?;
    stage.systemctl(&["stop", "myapp"])?;
    until("the instances are down", LIMIT, || down(stage))?;
    ensure!(
        TcpStream::connect(("127.0.0.1", 3000)).is_ok(),
        "the line makes no difference"
    );
    Ok(())
}

fn down(stage: &Stage) -> Result<Option<()>> {
    let states = stage.activities(&["myapp@1.service", "myapp@2.service"])?;
    Ok(states.iter().all(|state| state == "inactive").then_some(()))
}

/// Requests are under way and connections come while the app stops. How often were instances started by that, and was the
/// stop done? A start that comes in between cancels it.
fn starts_by_a_stop(stage: &Stage) -> Result<(usize, bool)> {
    let slow = load(Shape::SlowResponse {
        handler: Duration::from_secs(1),
    });
    let quick = load(EACH);
    until("answers", LIMIT, || {
        Ok((slow.answered() > 0 && quick.answered() > 0).then_some(()))
    })?;
    let before = starts(stage)?;
    let stop = stage.host().run(&["systemctl", "stop", "myapp"])?;
    until("the app is down, or up again", LIMIT, || {
        Ok((starts(stage)? > before || down(stage)?.is_some()).then_some(()))
    })?;
    drop((slow, quick));
    Ok((starts(stage)? - before, stop.success()))
}

fn starts(stage: &Stage) -> Result<usize> {
    Ok(stage.host().journal("myapp@*.service")?.matches("]: Starting ").count())
}

/// The socket starts its service when that is going down.
fn hold_service(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let stop = starts_by_a_stop(stage)?;
    ensure!(stop == (0, true), "the stop started the app, or failed: {stop:?}");
    Ok(())
}

/// systemd stops the socket, which nothing needs any more, or first sees that a connection waits there: chance decides,
/// four times of five for the connection.
const ATTEMPTS: usize = 8;

fn without_hold_service(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.systemctl(&["stop", "myapp"])?;
    until("the app is down", LIMIT, || down(stage))?;
    // As if the line were not there: the socket's own name decides.
    stage.drop_in("myapp.socket", "[Socket]\nService=myapp.service\n")?;
    stage.drop_in("myapp.service", "[Service]\nNonBlocking=yes\n")?;
    stage.drop_in("myapp.hold.service", "[Unit]\nConditionPathExists=/nowhere\n")?;
    for _ in 0..ATTEMPTS {
        stage.systemctl(&["start", "myapp"])?;
        both_up(stage)?;
        if starts_by_a_stop(stage)? != (0, true) {
            return Ok(());
        }
        until("the app is down", LIMIT, || down(stage))?;
    }
    bail!("the line makes no difference")
}
