//! One instance that crashes again and again: the others serve on, and it comes back ever more slowly.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(
    one_instance_may_crash_for_a_minute,
    with_a_start_limit_the_port_would_close,
);

const CONFIG: &str = "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = 3\nlisten = 3000\n";
const RATE: Shape = Shape::OnePerConnection { rate: Some(200.0) };

/// `appctl` would refuse to bring such an app up; systemd does not.
fn set_up(stage: &Stage) -> Result<()> {
    stage.bring("crash-loop", "myapp")?;
    stage.host().write_file("/etc/appctl/apps/myapp.toml", CONFIG)?;
    stage.host().run_ok(&["systemctl", "daemon-reload"])?;
    stage.host().run_ok(&["systemctl", "start", "myapp.service"])?;
    until("the other two", Duration::from_secs(30), || {
        let members = stage.members("myapp")?;
        Ok((members["1"].state == "ready" && members["3"].state == "ready").then_some(()))
    })
}

fn second(stage: &Stage) -> Result<Value> {
    let status = stage.status("myapp")?;
    let mut all = status["instances"].as_array().context("a list")?.iter();
    all.find(|one| one["instance"] == "2").cloned().context("instance 2")
}

/// The fixture dies before it accepts anything, so nothing at all may be lost.
fn one_instance_may_crash_for_a_minute(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let siblings = |stage: &Stage| -> Result<_> {
        let members = stage.members("myapp")?;
        Ok((members["1"].pid, members["3"].pid))
    };
    let before = siblings(stage)?;
    let load = stage.load(3000, RATE);
    let (mut seen, end) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    until("a minute", Duration::from_secs(90), || {
        let one = second(stage)?;
        seen.push((one["state"].to_string(), one["restarts"].as_u64().unwrap_or_default()));
        std::thread::sleep(Duration::from_millis(500));
        Ok((Instant::now() > end).then_some(()))
    })?;
    let report = load.stop();
    println!("{report}");
    ensure!(
        report.lost() == 0 && report.counts.ok > 1000,
        "lost requests:\n{report}"
    );
    ensure!(report.pids.len() == 2, "two siblings answer:\n{report}");
    ensure!(siblings(stage)? == before, "a sibling was restarted");
    ensure!(
        stage.host().run(&["systemctl", "is-active", "myapp.socket"])?.success(),
        "the socket"
    );
    let waits = seen.iter().filter(|(state, _)| state.contains("backing-off")).count();
    ensure!(waits * 2 > seen.len(), "it seldom backs off: {seen:?}");
    let (first, last) = (seen.first().context("seen")?.1, seen.last().context("seen")?.1);
    println!(
        "restarts {first} to {last}, backing off in {waits} of {} looks",
        seen.len()
    );
    ensure!(last > first && last < 20, "not growing, or too fast: {seen:?}");
    let status = stage.status("myapp")?;
    ensure!(status["state"] == "degraded", "{status}");
    let notes = status["notes"].to_string();
    ensure!(
        notes.contains("myapp@2 is backing-off") && notes.contains("status 9"),
        "unexplained: {notes}"
    );
    delays_double(&stage.host().journal("myapp@2.service")?)
}

/// "N crashes in a row: next start in …", from the journal.
fn delays_double(journal: &str) -> Result<()> {
    let lines = journal
        .lines()
        .filter_map(|line| line.split_once("crashes in a row: next start in "));
    let delays: Vec<String> = lines.map(|(_, delay)| delay.trim().to_owned()).collect();
    println!("delays: {delays:?}");
    let seconds: Vec<f64> = delays
        .iter()
        .filter_map(|delay| seconds(delay))
        .filter(|delay| *delay > 0.0)
        .collect();
    ensure!(seconds.len() >= 6, "too few delays: {delays:?}");
    let doubles = seconds
        .windows(2)
        .all(|pair| (pair[1] - 2.0 * pair[0]).abs() < 0.05 || pair[1] == 30.0);
    ensure!(doubles && seconds.last() >= Some(&6.0), "not doubling: {delays:?}");
    Ok(())
}

fn seconds(delay: &str) -> Option<f64> {
    match delay.strip_suffix(" ms") {
        Some(number) => number.parse().ok().map(|number: f64| number / 1000.0),
        None => delay.strip_suffix(" s")?.parse().ok(),
    }
}

/// What `StartLimitIntervalSec=0` is for: with a limit, one instance's crashes take the port from all others.
fn with_a_start_limit_the_port_would_close(stage: &Stage) -> Result<()> {
    let limit = "[Unit]\nStartLimitIntervalSec=10s\nStartLimitBurst=5\n";
    stage
        .host()
        .write_file("/etc/systemd/system/myapp@.service.d/limit.conf", limit)?;
    set_up(stage)?;
    let load = stage.load(3000, RATE);
    until("a failed socket", Duration::from_secs(40), || {
        let state = stage.host().run(&["systemctl", "is-failed", "myapp.socket"])?;
        Ok((state.stdout.trim() == "failed").then_some(()))
    })?;
    // The siblings still accept, on a socket that systemd has let go of: nothing can be replaced or added any more.
    let rolling = stage.appctl(&["rolling-restart", "myapp"])?;
    println!("{}{}", rolling.stdout, rolling.stderr);
    ensure!(
        rolling.status == 4,
        "a rollout works without the socket: {}",
        rolling.stdout
    );
    let opened = stage.host().run(&["systemctl", "start", "myapp.socket"])?;
    ensure!(!opened.success(), "the port can be bound again while siblings hold it");
    stage
        .host()
        .run_ok(&["systemctl", "stop", "myapp@1.service", "myapp@3.service"])?;
    until("a refused request", Duration::from_secs(20), || {
        let script = "exec 3<>/dev/tcp/127.0.0.1/3000";
        Ok((!stage.host().run(&["bash", "-c", script])?.success()).then_some(()))
    })?;
    let report = load.stop();
    println!("{report}");
    ensure!(
        report.lost() > 0,
        "nothing was lost, so the other test proves nothing:\n{report}"
    );
    Ok(())
}
