//! What a user sees on a good day: an app installed, four instances on one port, all of them replaced under load.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::eventually;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(
    four_instances_run_as_the_user,
    three_rollouts_lose_nothing,
    three_rollouts_lose_nothing_on_kept_connections,
    the_client_sees_a_killed_instance,
);

const INSTALL: [&str; 7] = ["install", "myapp", "/srv/myapp", "--instances", "4", "--user", "work"];

/// The first session of a fresh machine, and what the system's own tools say of it.
fn four_instances_run_as_the_user(stage: &Stage) -> Result<()> {
    let host = stage.host();
    ensure!(!host.run(&["id", "work"])?.success(), "the account is there before");
    stage.bring("plain", "myapp")?;
    stage.appctl_ok(&INSTALL)?;
    run_as_work(stage)?;
    let environments = environments(stage)?;
    tells_each_instance_who_it_is(&environments)?;
    status_has_its_documented_shape(&stage.status("myapp")?)?;
    systemctl_agrees(host)?;
    journal_tells_streams_apart(stage)
}

fn run_as_work(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let user = host.run_ok(&["id", "--user", "work"])?;
    let pids = stage.pids("myapp")?;
    let names: Vec<&str> = pids.keys().map(String::as_str).collect();
    ensure!(names == ["1", "2", "3", "4"], "{names:?}");
    for pid in pids.values() {
        let status = host.read_file(&format!("/proc/{pid}/status"))?;
        let uids = status
            .lines()
            .find(|line| line.starts_with("Uid:"))
            .context("a Uid line")?;
        ensure!(
            uids.split_whitespace().skip(1).all(|uid| uid == user.trim_end()),
            "pid {pid}: {uids}"
        );
    }
    Ok(())
}

/// The environment of each of the four, as the app itself sees it.
fn environments(stage: &Stage) -> Result<Vec<Value>> {
    let pids = stage.pids("myapp")?;
    let one = |pid: &u64| {
        let text = stage.host().read_file(&format!("/proc/{pid}/environ"))?;
        let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
        Ok(pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).collect())
    };
    pids.values().map(one).collect()
}

fn tells_each_instance_who_it_is(environments: &[Value]) -> Result<()> {
    let all = |key: &str| -> Vec<&str> { environments.iter().filter_map(|each| each[key].as_str()).collect() };
    ensure!(all("PORT") == ["3000"; 4], "PORT {:?}", all("PORT"));
    ensure!(
        all("INSTANCE") == ["1", "2", "3", "4"],
        "INSTANCE {:?}",
        all("INSTANCE")
    );
    let indices = all("NODE_APP_INSTANCE");
    ensure!(indices == ["0", "1", "2", "3"], "NODE_APP_INSTANCE {indices:?}");
    Ok(())
}

fn status_has_its_documented_shape(app: &Value) -> Result<()> {
    ensure!(app["name"] == "myapp" && app["state"] == "up", "{app}");
    ensure!(
        app["listen"] == serde_json::json!(["3000"]) && app["rollout"].is_null(),
        "{app}"
    );
    let release = app["release"].as_str().context("a release")?;
    for instance in app["instances"].as_array().context("instances")? {
        ensure!(
            instance["state"] == "ready" && instance["release"] == release,
            "{instance}"
        );
        ensure!(instance["pid"].is_u64() && instance["shim_pid"].is_u64(), "{instance}");
        ensure!(instance["pid"] != instance["shim_pid"], "{instance}");
        ensure!(instance["restarts"] == 0 && instance["since"].is_string(), "{instance}");
        let keys = ["instance", "memory_bytes", "cpu_seconds"];
        ensure!(keys.iter().all(|key| instance.get(key).is_some()), "{instance}");
    }
    Ok(())
}

fn systemctl_agrees(host: &dyn Host) -> Result<()> {
    let status = host.run_ok(&["systemctl", "status", "myapp"])?;
    println!("{status}");
    ensure!(
        status.contains("active (exited)") && status.contains("myapp.toml"),
        "{status}"
    );
    let enabled = host.run(&["systemctl", "is-enabled", "myapp"])?.stdout;
    ensure!(enabled.trim_end() == "generated", "{enabled}");
    let slice = host.run_ok(&["systemctl", "show", "--property=Slice", "--value", "myapp@1"])?;
    ensure!(slice.trim_end() == "appctl-myapp.slice", "{slice}");
    let journal = host.journal("myapp@*")?;
    let lines = journal.lines().filter(|line| line.contains("listening on 3000"));
    ensure!(lines.count() == 4, "{journal}");
    Ok(())
}

/// An app that says something on each stream.
fn journal_tells_streams_apart(stage: &Stage) -> Result<()> {
    let code = "console.log('to stdout'); console.error('to stderr'); setInterval(() => {}, 1000)";
    stage.host().write_file("/srv/talker/index.js", code)?;
    let file = "exec = \"node index.js\"\ndirectory = \"/srv/talker\"\n";
    stage.host().write_file("/etc/appctl/apps/talker.toml", file)?;
    stage.appctl_ok(&["apply", "talker"])?;
    eventually(Duration::from_secs(10), || {
        let text = stage.appctl_ok(&["logs", "talker", "--json"])?;
        let lines = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()?;
        let said: BTreeSet<_> = lines
            .iter()
            .map(|line| (line["stream"].as_str(), line["message"].as_str()))
            .collect();
        let wanted = [("stdout", "to stdout"), ("stderr", "to stderr")];
        let all = wanted
            .iter()
            .all(|(stream, text)| said.contains(&(Some(*stream), Some(*text))));
        ensure!(all, "{text}");
        Ok(())
    })
}

/// One request per connection from 32 connections, three rollouts.
fn three_rollouts_lose_nothing(stage: &Stage) -> Result<()> {
    three_rollouts(stage, Shape::OnePerConnection { rate: None })
}

/// Connections that live on, with uploads: they must be told to close, and none may be cut.
fn three_rollouts_lose_nothing_on_kept_connections(stage: &Stage) -> Result<()> {
    three_rollouts(stage, kept())
}

fn kept() -> Shape {
    Shape::KeepAlive {
        body: 16256,
        think: None,
    }
}

fn three_rollouts(stage: &Stage, shape: Shape) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage.appctl_ok(&INSTALL)?;
    let mut before = stage.pids("myapp")?;
    let load = stage.load(3000, shape);
    for _ in 0..3 {
        stage.appctl_ok(&["rolling-restart", "myapp"])?;
        let after = stage.pids("myapp")?;
        all_replaced(&before, &after)?;
        before = after;
    }
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    // Sixteen regular processes in turn, and each rollout's surge instance.
    ensure!(report.pids.len() > 8, "the load saw too few processes:\n{report}");
    Ok(())
}

/// The judge is not blind: what no draining precedes shows as lost.
fn the_client_sees_a_killed_instance(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage.appctl_ok(&INSTALL)?;
    let load = stage.load(3000, kept());
    eventually(Duration::from_secs(10), || {
        ensure!(load.answered() > 1000, "{} answers", load.answered());
        Ok(())
    })?;
    let pids: Vec<u64> = stage.pids("myapp")?.into_values().collect();
    stage.kill_amid_requests(&load, &pids, &pids[..2])?;
    eventually(Duration::from_secs(10), || {
        ensure!(stage.status("myapp")?["state"] == "up");
        Ok(())
    })?;
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() > 0, "no loss was seen:\n{report}");
    Ok(())
}
