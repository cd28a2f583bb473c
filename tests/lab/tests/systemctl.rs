//! `systemctl` and nothing else: what an administrator who never heard of `appctl` types means what it says, under load.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Report, Shape};
use appctl_lab::patience::{throughout, until};
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    a_stop_under_load_stays_a_stop,
    restarts_under_load_lose_nothing,
    killing_every_instance_keeps_the_port,
);

const LIMIT: Duration = Duration::from_secs(30);
const UNITS: [&str; 5] = [
    "myapp.service",
    "myapp.socket",
    "myapp@1.service",
    "myapp@2.service",
    "myapp@3.service",
];
const EACH: Shape = Shape::OnePerConnection { rate: None };
const KEPT: Shape = Shape::KeepAlive { body: 0, think: None };

fn install(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    stage
        .appctl_ok(&["install", "myapp", &app, "--instances", "3", "--user", "work"])
        .map(drop)
}

fn loads(stage: &Stage) -> [Load; 2] {
    [EACH, KEPT].map(|shape| stage.load(3000, shape))
}

fn nothing_lost(loads: [Load; 2]) -> Result<()> {
    for report in loads.map(Load::stop) {
        ensure!(served(&report) && report.lost() == 0, "{report}");
    }
    Ok(())
}

fn served(report: &Report) -> bool {
    report.counts.ok > 100
}

fn serving(loads: &[Load; 2]) -> Result<()> {
    let before = [loads[0].answered(), loads[1].answered()];
    until("answers", LIMIT, || {
        let all = loads
            .iter()
            .zip(before)
            .all(|(load, before)| load.answered() > before + 100);
        Ok(all.then_some(()))
    })
}

/// Requests of two seconds are under way while the app stops, so the instances drain, and connections keep coming.
fn a_stop_under_load_stays_a_stop(stage: &Stage) -> Result<()> {
    install(stage)?;
    let slow = stage.load(
        3000,
        Shape::SlowResponse {
            handler: Duration::from_secs(2),
        },
    );
    let traffic = loads(stage);
    serving(&traffic)?;
    let runs = runs(stage)?;
    stage.systemctl(&["stop", "myapp"])?;
    until("everything is down", LIMIT, || Ok(all_down(stage)?.then_some(())))?;
    throughout(Duration::from_secs(2), || {
        ensure!(all_down(stage)?, "up again: {:?}", stage.activities(&UNITS)?);
        ensure!(TcpStream::connect(("127.0.0.1", 3000)).is_err(), "the port answers");
        Ok(())
    })?;
    ensure!(self::runs(stage)? == runs, "an instance was started by the stop");
    stage.systemctl(&["start", "myapp"])?;
    serving(&traffic)?;
    drop((slow, traffic));
    Ok(())
}

fn all_down(stage: &Stage) -> Result<bool> {
    let states = stage.activities(&[UNITS.as_slice(), &["myapp.hold.service"]].concat())?;
    Ok(states.iter().all(|state| state == "inactive"))
}

/// How often instances were started.
fn runs(stage: &Stage) -> Result<usize> {
    let journal = stage.host().journal("myapp@*.service")?;
    Ok(journal.matches("systemd[1]: Starting ").count())
}

/// All instances at once; the queue waits in the socket.
fn restarts_under_load_lose_nothing(stage: &Stage) -> Result<()> {
    install(stage)?;
    let traffic = loads(stage);
    serving(&traffic)?;
    for _ in 0..5 {
        let before = stage.pids("myapp")?;
        stage.systemctl(&["restart", "myapp"])?;
        until("three new instances", LIMIT, || {
            let after = stage.pids("myapp")?;
            all_replaced(&before, &after).map(Some)
        })?;
        serving(&traffic)?;
    }
    nothing_lost(traffic)
}

fn killing_every_instance_keeps_the_port(stage: &Stage) -> Result<()> {
    install(stage)?;
    let socket = stage.property("myapp.socket", "InvocationID")?;
    for _ in 0..3 {
        let before = stage.pids("myapp")?;
        stage.systemctl(&[
            "kill",
            "--signal=KILL",
            "myapp@1.service",
            "myapp@2.service",
            "myapp@3.service",
        ])?;
        until("three new instances", LIMIT, || {
            let after = stage.pids("myapp")?;
            all_replaced(&before, &after).map(Some)
        })?;
        ensure!(TcpStream::connect(("127.0.0.1", 3000)).is_ok(), "the port is closed");
    }
    ensure!(
        stage.property("myapp.socket", "InvocationID")? == socket,
        "the socket was closed"
    );
    // The load of a restart after a crash: what waits in the queue is answered.
    let traffic = loads(stage);
    serving(&traffic)?;
    nothing_lost(traffic)
}
