//! `systemctl stop` and `restart` say that they are done when they are.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Plan, Shape, Target};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    a_stop_returns_when_the_last_request_is_answered,
    no_instance_waits_for_another
);

const LIMIT: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(4);
const INSTANCES: [&str; 3] = ["myapp@1.service", "myapp@2.service", "myapp@3.service"];

fn install(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    let install = ["install", "myapp", &app, "--instances", "3", "--user", "work"];
    stage.appctl_ok(&install).map(drop)
}

/// One request that is being answered.
fn slow(stage: &Stage) -> Result<Load> {
    let shape = Shape::SlowResponse { handler: SLOW };
    let target = Target::Tcp(([127, 0, 0, 1], 3000).into());
    let load = Load::start(Plan::new(target, shape).connections(1).requests(1));
    until("the request has arrived", LIMIT, || {
        let open = stage
            .host()
            .run_ok(&["ss", "--no-header", "--tcp", "state", "established", "sport = :3000"])?;
        Ok((!open.trim().is_empty()).then_some(()))
    })?;
    Ok(load)
}

fn answered(load: Load) -> Result<()> {
    let report = load.wait();
    ensure!(report.counts.ok == 1 && report.lost() == 0, "{report}");
    Ok(())
}

fn a_stop_returns_when_the_last_request_is_answered(stage: &Stage) -> Result<()> {
    install(stage)?;
    let (load, begin) = (slow(stage)?, Instant::now());
    stage.systemctl(&["stop", "myapp"])?;
    let states = stage.activities(&INSTANCES)?;
    ensure!(begin.elapsed() > SLOW / 2, "back after {:?}", begin.elapsed());
    ensure!(states.iter().all(|state| state == "inactive"), "{states:?}");
    answered(load)?;
    until("the port is closed", LIMIT, || {
        let states = stage.activities(&["myapp.socket", "myapp.hold.service", "myapp.service"])?;
        Ok(states.iter().all(|state| state == "inactive").then_some(()))
    })?;
    // Nothing to wait for is no failure, and neither is an instance that had to be killed.
    stage.systemctl(&["start", "myapp"])?;
    until("all are up", LIMIT, || {
        let states = stage.activities(&INSTANCES)?;
        Ok(states.iter().all(|state| state == "active").then_some(()))
    })?;
    stage.systemctl(&["kill", "--signal=STOP", "myapp@1.service"])?;
    stage.drop_in("myapp@.service", "[Service]\nTimeoutStopSec=1s\n")?;
    stage.systemctl(&["stop", "myapp"])?;
    ensure!(stage.activity("myapp.service")? == "inactive");
    let state = stage.activity("myapp@1.service")?;
    ensure!(state != "active" && state != "deactivating", "{state}");
    Ok(())
}

/// While one instance answers a slow request, the others are up again, and everything else is answered by them. The
/// rollout that `systemctl reload` waits for does not wait for the reload.
fn no_instance_waits_for_another(stage: &Stage) -> Result<()> {
    install(stage)?;
    let load = slow(stage)?;
    let traffic = stage.load(3000, Shape::OnePerConnection { rate: Some(200.0) });
    let before = stage.pids("myapp")?;
    let begin = Instant::now();
    let mut restart = stage.host().spawn(&["systemctl", "restart", "myapp"])?;
    until("two are up again", SLOW, || {
        let after = stage.members("myapp")?;
        let new = after
            .iter()
            .filter(|(name, member)| member.state == "ready" && member.pid != before.get(*name).copied());
        Ok((new.count() >= 2).then_some(()))
    })?;
    ensure!(restart.try_wait()?.is_none(), "back before the slow one has drained");
    ensure!(restart.wait()?.success() && begin.elapsed() > SLOW / 2);
    answered(load)?;
    for verb in ["reload", "restart", "reload"] {
        let done = stage.host().run(&["timeout", "60", "systemctl", verb, "myapp"])?;
        ensure!(done.success(), "systemctl {verb}: {done:?}");
    }
    let report = traffic.stop();
    ensure!(report.counts.ok > 100 && report.lost() == 0, "{report}");
    Ok(())
}
