//! A blocked event loop is found, named and replaced while its siblings serve; whatever only looks like one is left
//! alone.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Plan, Shape, Target};
use appctl_lab::patience::{throughout, until};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(a_blocked_loop_is_named_and_replaced, what_only_takes_long_is_not_shot);

const LIMIT: Duration = Duration::from_secs(30);
const FILE: &str = "/etc/appctl/apps/myapp.toml";
const RATE: Shape = Shape::OnePerConnection { rate: Some(300.0) };
/// Longer than the interval of all these apps.
const LONGER_MS: u64 = 4_500;

fn config(instances: u32, interval: &str, start_ms: u64) -> String {
    format!(
        "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = {instances}\nlisten = 3000\n\
         env = {{ START_MS = '{start_ms}' }}\n[watchdog]\ninterval = '{interval}'\n"
    )
}

fn applied(stage: &Stage, config: &str) -> Result<()> {
    stage.host().write_file(FILE, config)?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

/// One request and no other. It may never be answered.
fn one_request(path: &str) -> Load {
    let target = Target::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)));
    let plan = Plan::new(target, RATE).connections(1).requests(1);
    Load::start(Plan {
        path: path.into(),
        ..plan.timeout(Duration::from_secs(20))
    })
}

/// The instance whose journal has the line.
fn who_says(stage: &Stage, line: &str) -> Result<String> {
    until(line, LIMIT, || {
        let names = stage.members("myapp")?.into_keys();
        for name in names {
            if journal_of(stage, &name)?.contains(line) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    })
}

fn journal_of(stage: &Stage, instance: &str) -> Result<String> {
    stage.host().journal(&format!("myapp@{instance}.service"))
}

/// Waits until so many more requests were answered.
fn more(load: &Load, count: u64) -> Result<()> {
    let before = load.answered();
    until("more answers", LIMIT, || {
        Ok((load.answered() > before + count).then_some(()))
    })
}

/// Waits until `victim` is ready under another pid, and gives all pids.
fn replaced(stage: &Stage, victim: &str, before: &BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>> {
    until("a replacement", LIMIT, || {
        let members = stage.members("myapp")?;
        let other = members[victim].pid.is_some_and(|pid| pid != before[victim]);
        if other && members[victim].state == "ready" {
            return stage.pids("myapp").map(Some);
        }
        Ok(None)
    })
}

fn a_blocked_loop_is_named_and_replaced(stage: &Stage) -> Result<()> {
    stage.bring("blocks", "myapp")?;
    applied(stage, &config(3, "3s", 0))?;
    for (path, function) in [("/spin", "spinForever"), ("/pattern", "catastrophicPattern")] {
        let before = stage.pids("myapp")?;
        let load = stage.load(3000, RATE);
        // Long enough for each of them to have beaten.
        more(&load, 900)?;
        let blocking = one_request(path);
        let victim = who_says(stage, &format!("{path} begins"))?;
        let answered = load.answered();
        let after = replaced(stage, &victim, &before)?;
        ensure!(load.answered() > answered + 300, "the siblings did not serve meanwhile");
        more(&load, 300)?;
        let report = load.stop();
        ensure!(blocking.stop().counts.ok == 0, "{path} was answered");
        println!("{path}:\n{}\n{report}", journal_of(stage, &victim)?);
        let held = report.counts.reset + report.counts.eof;
        ensure!(report.lost() == held && held <= 32, "lost more than it held:\n{report}");
        let others = |pids: &BTreeMap<String, u64>| {
            let kept = pids.iter().filter(|(name, _)| **name != victim);
            kept.map(|(_, pid)| *pid).collect::<Vec<_>>()
        };
        ensure!(others(&before) == others(&after), "{before:?}, then {after:?}");
        told(stage, &victim, function)?;
    }
    Ok(())
}

/// For how long, where, and what was done about it, in this order.
fn told(stage: &Stage, victim: &str, function: &str) -> Result<()> {
    let journal = journal_of(stage, victim)?;
    let mut rest = journal.as_str();
    for part in [
        "the event loop has been blocked for ",
        &format!("at {function} (/srv/myapp/server.js:"),
        "at Server.answer (/srv/myapp/server.js:",
        "killed: its event loop was blocked for ",
    ] {
        let (_, after) = rest
            .split_once(part)
            .with_context(|| format!("no {part:?} in its place:\n{journal}"))?;
        rest = after;
    }
    Ok(())
}

fn what_only_takes_long_is_not_shot(stage: &Stage) -> Result<()> {
    stage.bring("blocks", "myapp")?;
    // A start that holds the loop for longer than the interval.
    applied(stage, &config(1, "3s", LONGER_MS))?;
    quiet(stage, "the start")?;
    // A drain whose last request does.
    let last = one_request(&format!("/hold?ms={LONGER_MS}"));
    who_says(stage, "/hold begins")?;
    stage.appctl_ok(&["stop", "myapp"])?;
    let report = last.wait();
    ensure!(report.counts.ok == 1, "the last request was not answered:\n{report}");
    quiet(stage, "the drain")?;
    // Without a watchdog even a loop that is blocked for good.
    applied(stage, &config(1, "off", 0))?;
    stage.appctl_ok(&["start", "myapp"])?;
    let before = until("it is up again", LIMIT, || {
        Ok((stage.members("myapp")?["1"].state == "ready").then_some(stage.pids("myapp")?))
    })?;
    let never = one_request("/spin");
    who_says(stage, "/spin begins")?;
    throughout(Duration::from_millis(LONGER_MS), || {
        ensure!(
            stage.pids("myapp")? == before,
            "replaced: {:?}",
            stage.members("myapp")?
        );
        Ok(())
    })?;
    quiet(stage, "the watchdog that is off")?;
    stage.host().run_ok(&["kill", "-KILL", &before["1"].to_string()])?;
    ensure!(never.stop().counts.ok == 0, "it was not blocked");
    Ok(())
}

/// Nobody was found blocked or killed.
fn quiet(stage: &Stage, what: &str) -> Result<()> {
    let journal = journal_of(stage, "1")?;
    ensure!(
        !journal.contains("blocked") && !journal.contains("killed"),
        "{what}:\n{journal}"
    );
    Ok(())
}
