//! Lines of the generated units that look superfluous, each with what goes wrong without it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Load;
use appctl_lab::load::{Plan, Report, Shape, Target};
use appctl_lab::unit::until;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    non_blocking,
    without_non_blocking,
    kill_mode,
    without_kill_mode,
    flush_pending,
    without_flush_pending,
    stop_when_unneeded,
    without_stop_when_unneeded,
    hold_service,
    without_hold_service,
    start_limit,
    without_start_limit,
    trigger_limit,
    without_trigger_limit,
    backlog,
    without_backlog,
);

const LIMIT: Duration = Duration::from_secs(30);
const EACH: Shape = Shape::OnePerConnection { rate: None };

/// Two instances of an app that says when they are ready and is believed at once.
fn install(stage: &Stage, app: &str) -> Result<()> {
    let directory = stage.bring(app, "myapp")?;
    // Half a second is slow enough: what counts is that connections come while an instance starts.
    let server = format!("{directory}/server.js");
    stage.host().run_ok(&["sed", "-i", "s/\\b1000\\b/250/g", &server])?;
    stage.appctl_ok(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    let file = "/etc/appctl/apps/myapp.toml";
    let text = stage.host().read_file(file)?;
    stage
        .host()
        .write_file(file, &format!("{text}\n[ready]\nsettle = \"0s\"\n"))?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

fn both_up(stage: &Stage) -> Result<()> {
    until("both instances are up", LIMIT, || {
        let states = stage.activities(&["myapp@1.service", "myapp@2.service"])?;
        Ok(states.iter().all(|state| state == "active").then_some(()))
    })
}

fn load(shape: Shape) -> Load {
    let target = Target::Tcp(([127, 0, 0, 1], 3000).into());
    Load::start(Plan::new(target, shape).timeout(Duration::from_secs(5)))
}

fn intact(report: &Report) -> Result<()> {
    ensure!(report.counts.ok > 50 && report.lost() == 0, "{report}");
    Ok(())
}

fn damaged(report: &Report) -> Result<()> {
    ensure!(report.lost() > 0, "the line makes no difference:\n{report}");
    Ok(())
}

fn rollouts(stage: &Stage, count: usize) -> Result<Report> {
    let load = load(EACH);
    for _ in 0..count {
        // A rollout that fails is part of the damage; the load says what it came to.
        stage.appctl(&["rolling-restart", "myapp"])?;
    }
    Ok(load.stop())
}

/// O_NONBLOCK belongs to the shared socket: each start of an instance would clear it for all.
fn non_blocking(stage: &Stage) -> Result<()> {
    install(stage, "slow-start")?;
    intact(&rollouts(stage, 20)?)
}

fn without_non_blocking(stage: &Stage) -> Result<()> {
    install(stage, "slow-start")?;
    stage.drop_in("myapp@.service", "[Service]\nNonBlocking=no\n")?;
    stage.drop_in("myapp.hold.service", "[Service]\nNonBlocking=no\n")?;
    // Who sleeps in accept() is a race between siblings: as many tries as the line survives.
    let lost = (0..10)
        .map(|_| rollouts(stage, 2))
        .find(|report| report.as_ref().map_or(true, |report| report.lost() > 0));
    damaged(&lost.context("the line makes no difference")??)
}

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

/// Twenty connections wait in the queue of an app that hangs; it is killed. How many are answered by the next one?
fn answered_after_a_crash(stage: &Stage) -> Result<usize> {
    let pids: Vec<String> = stage.pids("myapp")?.values().map(u64::to_string).collect();
    let kill = |signal| {
        stage.host().run_ok(
            &[
                &["kill", signal],
                pids.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
            ]
            .concat(),
        )
    };
    kill("-STOP")?;
    let waiting: Vec<TcpStream> = (0..20).map(|_| ask()).collect::<Result<_>>()?;
    kill("-KILL")?;
    Ok(waiting.into_iter().filter_map(|stream| answer(stream).ok()).count())
}

fn ask() -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", 3000))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: waited\r\nConnection: close\r\n\r\n")?;
    Ok(stream)
}

fn answer(mut stream: TcpStream) -> Result<()> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    ensure!(text.ends_with("waited\n"), "{text}");
    Ok(())
}

/// Connections that wait in the queue are for the next instance.
fn flush_pending(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let answered = answered_after_a_crash(stage)?;
    ensure!(answered == 20, "{answered} of 20");
    Ok(())
}

fn without_flush_pending(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.drop_in("myapp.socket", "[Socket]\nFlushPending=yes\n")?;
    let answered = answered_after_a_crash(stage)?;
    ensure!(answered < 20, "the line makes no difference");
    Ok(())
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

/// Requests are under way and connections come while the app stops. How often were instances started by that?
fn starts_by_a_stop(stage: &Stage) -> Result<usize> {
    let slow = load(Shape::SlowResponse {
        handler: Duration::from_secs(1),
    });
    let quick = load(EACH);
    until("answers", LIMIT, || {
        Ok((slow.answered() > 0 && quick.answered() > 0).then_some(()))
    })?;
    let before = starts(stage)?;
    stage.systemctl(&["stop", "myapp"])?;
    until("the app is down, or up again", LIMIT, || {
        Ok((starts(stage)? > before || down(stage)?.is_some()).then_some(()))
    })?;
    drop((slow, quick));
    Ok(starts(stage)? - before)
}

fn starts(stage: &Stage) -> Result<usize> {
    Ok(stage.host().journal("myapp@*.service")?.matches("]: Starting ").count())
}

/// The socket starts its service when that is going down.
fn hold_service(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    ensure!(starts_by_a_stop(stage)? == 0, "the stop started the app");
    Ok(())
}

fn without_hold_service(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.systemctl(&["stop", "myapp"])?;
    until("the app is down", LIMIT, || down(stage))?;
    // As if the line were not there: the socket's own name decides.
    stage.drop_in("myapp.socket", "[Socket]\nService=myapp.service\n")?;
    stage.drop_in("myapp.service", "[Service]\nNonBlocking=yes\n")?;
    stage.drop_in("myapp.hold.service", "[Unit]\nConditionPathExists=/nowhere\n")?;
    stage.systemctl(&["start", "myapp"])?;
    both_up(stage)?;
    ensure!(starts_by_a_stop(stage)? > 0, "the line makes no difference");
    Ok(())
}

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

/// `Send-Q` of ss(8): how many connections may wait.
fn queue(stage: &Stage) -> Result<String> {
    let text = stage.host().run_ok(&[
        "ss",
        "--listening",
        "--tcp",
        "--numeric",
        "--no-header",
        "sport",
        "=",
        ":3000",
    ])?;
    Ok(text.split_whitespace().nth(2).context("nobody listens")?.to_owned())
}

/// Node's listen() on a socket that listens already resets its queue, for all instances.
fn backlog(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    ensure!(queue(stage)? == "4096", "{}", queue(stage)?);
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    ensure!(queue(stage)? == "4096", "{}", queue(stage)?);
    Ok(())
}

fn without_backlog(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let unit = stage.systemctl(&["cat", "myapp@.service"])?;
    let line = unit
        .lines()
        .find(|line| line.starts_with("ExecStart="))
        .context("an ExecStart= line")?;
    let line = line.replace("--backlog=4096", "--backlog=511");
    stage.drop_in("myapp@.service", &format!("[Service]\nExecStart=\n{line}\n"))?;
    stage.systemctl(&["restart", "myapp@1.service"])?;
    ensure!(
        queue(stage)? == "511",
        "the line makes no difference: {}",
        queue(stage)?
    );
    Ok(())
}
