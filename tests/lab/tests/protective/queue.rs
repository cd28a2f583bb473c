//! The queue that all instances share: nobody sleeps in it, nobody throws it away or shortens it.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Report;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{EACH, LIMIT, install, intact, load};

/// As `flags:` of `proc_pid_fdinfo(5)` has it.
const O_NONBLOCK: u32 = 0o4000;

on_each_debian!(
    non_blocking,
    without_non_blocking,
    flush_pending,
    without_flush_pending,
    backlog,
    without_backlog,
);

fn rollouts(stage: &Stage, count: usize) -> Result<Report> {
    let load = load(EACH);
    for _ in 0..count {
        // A rollout that fails is part of the damage; the load says what it came to.
        stage.appctl(&["rolling-restart", "myapp"])?;
    }
    Ok(load.stop())
}

/// O_NONBLOCK belongs to the shared socket: each start of an instance would clear it for all, and a sibling that loses the
/// race for a connection would sleep in accept(2), with all its clients.
fn non_blocking(stage: &Stage) -> Result<()> {
    install(stage, "slow-start")?;
    intact(&rollouts(stage, 20)?)?;
    ensure!(
        !blocks_while_a_sibling_starts(stage)?,
        "the shared socket was blocking for a while"
    );
    Ok(())
}

/// Who sleeps then is a race that may take many tries; that the flag goes is not.
fn without_non_blocking(stage: &Stage) -> Result<()> {
    install(stage, "slow-start")?;
    stage.drop_in("myapp@.service", "[Service]\nNonBlocking=no\n")?;
    stage.drop_in("myapp.hold.service", "[Service]\nNonBlocking=no\n")?;
    ensure!(blocks_while_a_sibling_starts(stage)?, "the line makes no difference");
    Ok(())
}

/// Looks at the socket of instance 2 (its first fd, `sd_listen_fds(3)`) while instance 1 is replaced.
fn blocks_while_a_sibling_starts(stage: &Stage) -> Result<bool> {
    let shim = stage.members("myapp")?["2"].shim_pid.context("instance 2 runs not")?;
    let mut restart = stage.host().spawn(&["systemctl", "restart", "myapp@1.service"])?;
    let mut blocked = false;
    while restart.try_wait()?.is_none() {
        let info = stage.host().read_file(&format!("/proc/{shim}/fdinfo/3"))?;
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .context("proc_pid_fdinfo(5)")?;
        blocked |= u32::from_str_radix(flags.trim(), 8)? & O_NONBLOCK == 0;
    }
    Ok(blocked)
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
