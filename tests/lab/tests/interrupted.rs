//! A rollout whose `appctl` is interrupted, or killed, at each of its steps: nothing is lost, `status` explains, and
//! both ways out lead to a whole app.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::until;
use appctl_lab::running::Running;
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(
    a_killed_rolling_restart,
    an_interrupted_rolling_restart,
    a_killed_apply,
    an_interrupted_apply,
    a_killed_scale,
    an_interrupted_scale,
    a_second_rollout_waits_for_nobody,
);

const RATE: Shape = Shape::OnePerConnection { rate: Some(300.0) };
const WANTED: &str = "/etc/appctl/apps/myapp.toml";
const APPLIED: &str = "/etc/appctl/applied/myapp.toml";
const CONFIG: &str = "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = 2\nlisten = 3000\n\
                      env = { RELEASE = 'r0' }\n[ready]\nsettle = '300ms'\n";
/// More steps than any of these rollouts has.
const MANY: usize = 12;

/// What is rolled.
#[derive(Clone, Copy, PartialEq)]
enum Verb {
    RollingRestart,
    Apply,
    Scale,
}

fn set_up(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage.host().write_file(WANTED, CONFIG)?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

fn a_killed_rolling_restart(stage: &Stage) -> Result<()> {
    each_step(stage, Verb::RollingRestart, "KILL")
}

fn an_interrupted_rolling_restart(stage: &Stage) -> Result<()> {
    each_step(stage, Verb::RollingRestart, "INT")
}

fn a_killed_apply(stage: &Stage) -> Result<()> {
    each_step(stage, Verb::Apply, "KILL")
}

fn an_interrupted_apply(stage: &Stage) -> Result<()> {
    each_step(stage, Verb::Apply, "INT")
}

fn a_killed_scale(stage: &Stage) -> Result<()> {
    each_step(stage, Verb::Scale, "KILL")
}

fn an_interrupted_scale(stage: &Stage) -> Result<()> {
    each_step(stage, Verb::Scale, "INT")
}

/// Every step twice: once resumed, once aborted.
fn each_step(stage: &Stage, verb: Verb, signal: &str) -> Result<()> {
    set_up(stage)?;
    let load = stage.load(3000, RATE);
    let mut steps = BTreeSet::new();
    for (nth, way_out) in (0..MANY).flat_map(|nth| [(nth, "resume"), (nth, "abort")]) {
        let Some(step) = one(stage, verb, signal, nth, way_out).with_context(|| format!("step {nth}, {way_out}"))?
        else {
            break;
        };
        steps.insert(step);
    }
    let answered = load.answered();
    until("more load", Duration::from_secs(20), || {
        Ok((load.answered() > answered + 300).then_some(()))
    })?;
    let report = load.stop();
    println!("{signal} at {steps:?}\n{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    ensure!(steps.len() >= 3, "too few steps: {steps:?}");
    ensure!(report.pids.len() > 4, "too few processes:\n{report}");
    Ok(())
}

/// A rollout ended at its step number `nth`, and then the way out; the step's name, or `None` when there is none.
fn one(stage: &Stage, verb: Verb, signal: &str, nth: usize, way_out: &str) -> Result<Option<String>> {
    let before = stage.host().read_file(APPLIED)?;
    let words = order(stage, verb, &before)?;
    let mut running = Running::start(stage, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let Some(step) = running.reach(nth)? else {
        ensure!(running.wait()?.code == Some(0), "an undisturbed rollout failed");
        return Ok(None);
    };
    running.signal(signal)?;
    let ending = running.wait()?;
    println!("{signal} at {step:?}: {:?} {}", ending.code, ending.stderr.trim());
    let status = stage.status("myapp")?;
    let open = !status["rollout"].is_null();
    if signal == "KILL" && ending.code.is_none() {
        ensure!(open, "forgotten: {status}");
    }
    if open {
        explained(&status)?;
    }
    let out = stage.appctl(&[way_out, "myapp"])?;
    println!("  {way_out}: {} {}{}", out.status, out.stdout, out.stderr);
    ensure!(
        out.status == 0,
        "{way_out} after {step:?}: {} {}{}",
        out.status,
        out.stdout,
        out.stderr
    );
    consistent(stage).with_context(|| format!("{signal} at {step:?}, then {way_out}"))?;
    let taken_back = open && way_out == "abort" && verb != Verb::RollingRestart;
    if taken_back {
        ensure!(
            stage.host().read_file(APPLIED)? == before,
            "{step:?}: abort leaves another configuration"
        );
    }
    level(stage)?;
    Ok(Some(step))
}

/// What to type, with the file changed where the verb takes it from there.
fn order(stage: &Stage, verb: Verb, before: &str) -> Result<Vec<String>> {
    let words = match verb {
        Verb::RollingRestart => vec!["rolling-restart", "myapp"],
        Verb::Apply => {
            let (old, new) = if before.contains("'r0'") {
                ("'r0'", "'r1'")
            } else {
                ("'r1'", "'r0'")
            };
            stage.host().write_file(WANTED, &before.replace(old, new))?;
            vec!["apply", "myapp"]
        }
        Verb::Scale if before.contains("instances = 2") => vec!["scale", "myapp", "4"],
        Verb::Scale => vec!["scale", "myapp", "2"],
    };
    Ok(words.into_iter().map(str::to_owned).collect())
}

fn explained(status: &Value) -> Result<()> {
    let notes = status["notes"].to_string();
    let told = notes.contains("was interrupted at")
        && notes.contains("appctl resume myapp")
        && notes.contains("appctl abort myapp");
    ensure!(told && status["rollout"]["step"] != "", "unexplained: {status}");
    Ok(())
}

/// No open rollout, no surge, as many instances as the applied file says, all ready and in its configuration.
fn consistent(stage: &Stage) -> Result<()> {
    let status = stage.status("myapp")?;
    ensure!(status["rollout"].is_null() && status["state"] == "up", "{status}");
    let applied = stage.host().read_file(APPLIED)?;
    let count = if applied.contains("instances = 4") { 4 } else { 2 };
    let release = if applied.contains("'r0'") {
        "RELEASE=r0"
    } else {
        "RELEASE=r1"
    };
    let members = stage.members("myapp")?;
    let names: Vec<String> = (1..=count).map(|number: usize| number.to_string()).collect();
    ensure!(
        members.keys().eq(&names) && members.values().all(|one| one.state == "ready"),
        "{members:?}\n{applied}"
    );
    for member in members.values() {
        let pid = member.pid.context("a pid")?;
        let environment = stage.host().read_file(&format!("/proc/{pid}/environ"))?;
        ensure!(
            environment.split('\0').any(|variable| variable == release),
            "{pid} is not {release}"
        );
    }
    Ok(())
}

/// The wanted file as the applied one, for the next rollout.
fn level(stage: &Stage) -> Result<()> {
    stage.host().run_ok(&["cp", APPLIED, WANTED]).map(drop)
}

/// The owner is named, and the first rollout does not notice.
fn a_second_rollout_waits_for_nobody(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let load = stage.load(3000, RATE);
    let before = stage.pids("myapp")?;
    let mut running = Running::start(stage, &["rolling-restart", "myapp"])?;
    running.reach(1)?.context("a second step")?;
    let pid = running.pid().to_string();
    for words in [
        ["rolling-restart", "myapp", ""],
        ["scale", "myapp", "3"],
        ["abort", "myapp", ""],
        ["resume", "myapp", ""],
    ] {
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let output = stage.appctl(&words)?;
        println!("{words:?}: {} {}", output.status, output.stderr);
        ensure!(
            output.status == 7,
            "{words:?}: {} {}{}",
            output.status,
            output.stdout,
            output.stderr
        );
        let named = ["rolling-restart", "root", &pid]
            .iter()
            .all(|part| output.stderr.contains(*part));
        ensure!(named, "who: {}", output.stderr);
    }
    let ending = running.wait()?;
    let report = load.stop();
    ensure!(ending.code == Some(0), "{ending:?}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    appctl_lab::stage::all_replaced(&before, &stage.pids("myapp")?)
}
