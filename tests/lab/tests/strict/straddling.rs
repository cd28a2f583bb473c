//! What is under way when an instance is told to stop, and what comes in the meantime: each by itself, at a known moment.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Plan, Report, Shape};
use appctl_lab::patience::until;
use appctl_lab::running::{Ending, Running};
use appctl_lab::stage::{CUT, all_replaced};
use appctl_lab::{Host, Stage, on_each_debian};

use crate::every_shape::{becomes, write};
use crate::field::port;
use crate::scale::Scale;
use crate::{millis, served};

on_each_debian!(what_straddles_a_rollout_is_answered);

const LIMIT: Duration = Duration::from_secs(60);
const EACH: Shape = Shape::OnePerConnection { rate: Some(100.0) };

fn what_straddles_a_rollout_is_answered(stage: &Stage) -> Result<()> {
    stage.bring("every-shape", "web")?;
    becomes(stage, "first")?;
    slow_ones_are_finished_by_the_old_and_new_ones_begun_by_the_new(stage)?;
    nothing_new_reaches_who_drains(stage)?;
    silent_connections_are_served_or_ended(stage)?;
    a_busy_connection_is_told_and_does_not_wait_for_the_linger(stage)?;
    a_held_socket_queues(stage)?;
    what_is_left_at_the_deadline_is_cut_and_counted(stage)?;
    four_instances_are_soon_replaced(stage)
}

/// Two instances unless said otherwise.
fn configure(stage: &Stage, instances: u32, stop: &str) -> Result<()> {
    write(stage, instances, &format!("[ready]\nsettle = \"0s\"\n[stop]\n{stop}\n"))
}

fn few(shape: Shape, count: u64) -> Load {
    let plan = Plan::new(port(3000), shape).connections(4).requests(count);
    Load::start(plan.timeout(LIMIT))
}

fn whole(report: &Report, count: u64) -> Result<()> {
    ensure!(report.counts.ok == count && report.lost() == 0, "{report}");
    Ok(())
}

/// Begins to replace all instances, and waits until the first of them drains.
fn draining(stage: &Stage) -> Result<(Running<'_>, BTreeMap<String, u64>)> {
    let before = stage.pids("web")?;
    let rollout = Running::start(stage, &["rolling-restart", "web"])?;
    until("instance 1 drains", LIMIT, || drains(stage))?;
    Ok((rollout, before))
}

fn drains(stage: &Stage) -> Result<Option<()>> {
    let members = stage.members("web")?;
    Ok(members.get("1").filter(|one| one.state == "draining").map(|_| ()))
}

fn finished(stage: &Stage, rollout: Running<'_>, before: &BTreeMap<String, u64>) -> Result<Ending> {
    let ending = rollout.wait()?;
    ensure!(ending.code == Some(0), "{ending:?}");
    all_replaced(before, &stage.pids("web")?)?;
    Ok(ending)
}

/// A slow handler and a slow upload, both begun before: answered, and by those who had begun.
fn slow_ones_are_finished_by_the_old_and_new_ones_begun_by_the_new(stage: &Stage) -> Result<()> {
    configure(stage, 2, "timeout = \"30s\"\nlinger = \"300ms\"")?;
    let handler = few(
        Shape::SlowResponse {
            handler: 5 * millis(1000),
        },
        4,
    );
    let upload = few(
        Shape::SlowUpload {
            body: 40 << 10,
            piece: 1 << 10,
            every: millis(100),
        },
        4,
    );
    until("all are under way", LIMIT, || connections(stage, 8))?;
    becomes(stage, "second")?;
    let before = stage.pids("web")?;
    stage.appctl_ok(&["rolling-restart", "web"])?;
    all_replaced(&before, &stage.pids("web")?)?;
    let new = few(EACH, 50).wait();
    for report in [handler.wait(), upload.wait()] {
        whole(&report, 4)?;
        ensure!(report.releases.keys().eq(["first"]), "{report}");
    }
    whole(&new, 50)?;
    ensure!(new.releases.keys().eq(["second"]), "{new}");
    Ok(())
}

/// So many accepted connections, as ss(8) sees them.
fn connections(stage: &Stage, count: usize) -> Result<Option<()>> {
    let filter = ["state", "established", "sport", "=", ":3000"];
    let text = stage
        .host()
        .run_ok(&[&["ss", "--no-header", "--tcp"], &filter[..]].concat())?;
    Ok((text.lines().count() >= count).then_some(()))
}

/// It is held up by requests in progress; whoever connects now comes to another.
fn nothing_new_reaches_who_drains(stage: &Stage) -> Result<()> {
    configure(stage, 1, "timeout = \"30s\"\nlinger = \"300ms\"")?;
    let slow = few(
        Shape::SlowResponse {
            handler: 8 * millis(1000),
        },
        4,
    );
    until("all are under way", LIMIT, || connections(stage, 4))?;
    let (rollout, before) = draining(stage)?;
    let new = few(Shape::OnePerConnection { rate: None }, 200).wait();
    let held_up = drains(stage)?.is_some();
    whole(&new, 200)?;
    let old = u32::try_from(before["1"])?;
    ensure!(!new.pids.contains_key(&old), "{old} drains:\n{new}");
    ensure!(held_up, "the drain was over too early to tell");
    let ending = finished(stage, rollout, &before)?;
    let end = ending.said.last().context("an end")?;
    ensure!(end["requests_waited_for"] == 4 && end["requests_cut"] == 0, "{end}");
    whole(&slow.wait(), 4)
}

/// Accepted, but nothing was said on them yet: a browser opens such in advance.
fn silent_connections_are_served_or_ended(stage: &Stage) -> Result<()> {
    configure(stage, 1, "timeout = \"30s\"\nlinger = \"4s\"")?;
    let open = || TcpStream::connect(("127.0.0.1", 3000)).context("cannot connect");
    let mut silent = (0..100).map(|_| open()).collect::<Result<Vec<_>>>()?;
    // Whoever is accepted after them is accepted after them.
    whole(&few(EACH, 1).wait(), 1)?;
    let (rollout, before) = draining(stage)?;
    for stream in silent.iter_mut().take(50) {
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nx-request-id: late\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains("Connection: close"),
            "{answer}"
        );
        ensure!(
            answer.contains(&format!("x-pid: {}", before["1"])),
            "another's answer: {answer}"
        );
    }
    finished(stage, rollout, &before)?;
    for stream in silent.iter_mut().skip(50) {
        ensure!(stream.read(&mut [0; 10])? == 0, "no clean end");
    }
    Ok(())
}

/// With a linger of twenty seconds.
fn a_busy_connection_is_told_and_does_not_wait_for_the_linger(stage: &Stage) -> Result<()> {
    let linger = Duration::from_secs(20);
    configure(stage, 1, "timeout = \"60s\"\nlinger = \"20s\"")?;
    let shape = Shape::KeepAlive {
        body: 0,
        think: Some(millis(20)..=millis(20)),
    };
    let load = Load::start(Plan::new(port(3000), shape).connections(1));
    served(&[&load])?;
    let (before, start) = (stage.pids("web")?, Instant::now());
    stage.appctl_ok(&["rolling-restart", "web"])?;
    ensure!(
        start.elapsed() < linger,
        "it waited for the linger: {:?}",
        start.elapsed()
    );
    all_replaced(&before, &stage.pids("web")?)?;
    served(&[&load])?;
    let report = load.stop();
    ensure!(report.lost() == 0 && report.idle_fins == 0, "{report}");
    // Of the old instance, and of the surge instance if it had come to that.
    ensure!((1..=2).contains(&report.told_close), "{report}");
    Ok(())
}

/// All instances are down for a while, the socket is held: nobody notices but by waiting.
fn a_held_socket_queues(stage: &Stage) -> Result<()> {
    configure(stage, 2, "timeout = \"30s\"\nlinger = \"300ms\"")?;
    let plan = Plan::new(port(3000), EACH).connections(4000).timeout(LIMIT);
    let load = Load::start(plan);
    served(&[&load])?;
    let before = stage.pids("web")?;
    stage.systemctl(&["stop", "web@1.service", "web@2.service"])?;
    let (answered, held) = (load.answered(), Scale::of_this_run().hold);
    appctl_lab::patience::throughout(held, || {
        ensure!(
            load.answered() == answered && load.lost() == 0,
            "somebody answered, or was sent away"
        );
        Ok(())
    })?;
    stage.systemctl(&["start", "web@1.service", "web@2.service"])?;
    served(&[&load])?;
    let report = load.stop();
    ensure!(report.lost() == 0, "{report}");
    ensure!(
        report.latency.max > held.as_secs_f64() / 2.0,
        "nobody had waited:\n{report}"
    );
    all_replaced(&before, &stage.pids("web")?)
}

/// Requests that would take a minute, and a stop that may take two seconds.
fn what_is_left_at_the_deadline_is_cut_and_counted(stage: &Stage) -> Result<()> {
    configure(stage, 1, "timeout = \"2s\"\nlinger = \"300ms\"")?;
    let hopeless = few(
        Shape::SlowResponse {
            handler: 59 * millis(1000),
        },
        3,
    );
    until("all are under way", LIMIT, || connections(stage, 3))?;
    let (before, each) = (stage.pids("web")?, few(EACH, 100));
    let rolled = stage.appctl(&["rolling-restart", "web"])?;
    let told = rolled.stdout.trim_end();
    ensure!(
        rolled.status == CUT && told.ends_with(" in flight, cut 3"),
        "{rolled:?}"
    );
    all_replaced(&before, &stage.pids("web")?)?;
    whole(&each.wait(), 100)?;
    let report = hopeless.wait();
    ensure!(report.lost() == 3 && report.counts.timeout == 0, "{report}");
    // The shim has the adapters count a little before systemd would kill.
    ensure!(
        report.losses.iter().all(|loss| loss.at > 1.0),
        "cut too early:\n{report}"
    );
    let journal = stage.host().journal("web@1.service")?;
    ensure!(journal.contains("3 requests were cut"), "{journal}");
    Ok(())
}

/// Prints how soon; how soon that is elsewhere is another matter.
fn four_instances_are_soon_replaced(stage: &Stage) -> Result<()> {
    configure(stage, 4, "timeout = \"30s\"")?;
    let before = stage.pids("web")?;
    let start = Instant::now();
    stage.appctl_ok(&["rolling-restart", "web"])?;
    let idle = start.elapsed();
    all_replaced(&before, &stage.pids("web")?)?;
    let load = stage.load(3000, Shape::KeepAlive { body: 0, think: None });
    served(&[&load])?;
    let (before, start) = (stage.pids("web")?, Instant::now());
    stage.appctl_ok(&["rolling-restart", "web"])?;
    println!(
        "four instances replaced in {:.2?} under load, in {idle:.2?} without",
        start.elapsed()
    );
    all_replaced(&before, &stage.pids("web")?)?;
    let report = load.stop();
    ensure!(report.lost() == 0, "{report}");
    Ok(())
}
