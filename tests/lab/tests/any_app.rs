//! Apps of every kind, none of which knows of appctl, several in one box: replaced under load without a lost request.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::{eventually, until};
use appctl_lab::stage::{CUT, all_replaced};
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(unmodified_apps, other_protocols, written_for_pm2);

const PATIENCE: Duration = Duration::from_secs(30);
/// Name, program, and what else stands in its file.
const APPS: [(&str, &str, &str); 9] = [
    ("signals", "node signals.js", "[stop]\nsignal = \"SIGINT\"\n"),
    ("exits", "node exits.js", ""),
    ("ignores", "node ignores.js", "[stop]\ntimeout = \"1500ms\"\n"),
    ("koa", "node koa.js", ""),
    ("terminator", "node terminator.js", ""),
    ("clustered", "node cluster.js", ""),
    ("esm", "node esm.mjs", ""),
    ("typed", "/srv/frameworks/node_modules/.bin/tsx typed.ts", ""),
    ("threads", "node threads.js", ""),
];

/// Handlers of signals that close, exit or do nothing; frameworks and their helpers; every way to load code.
fn unmodified_apps(stage: &Stage) -> Result<()> {
    stage.bring("frameworks", "frameworks")?;
    let ports = 3101..;
    for ((name, exec, more), port) in APPS.into_iter().zip(ports.clone()) {
        write(stage, name, exec, &format!("listen = {port}\ninstances = 2\n"), more)?;
    }
    stage.appctl_ok(&["apply"])?;
    for ((name, ..), port) in APPS.into_iter().zip(ports.clone()) {
        rolled_under_load(stage, name, port).context(name)?;
    }
    crash_loses(stage, "exits", 3102)?;
    idle_instances_wait_for_no_linger(stage)
}

fn write(stage: &Stage, name: &str, exec: &str, keys: &str, tables: &str) -> Result<()> {
    let text = format!("exec = \"{exec}\"\ndirectory = \"/srv/frameworks\"\n{keys}{tables}");
    let settled = if tables.contains("[ready]") {
        text
    } else {
        text + "[ready]\nsettle = \"100ms\"\n"
    };
    stage
        .host()
        .write_file(&format!("/etc/appctl/apps/{name}.toml"), &settled)
}

fn rolled_under_load(stage: &Stage, name: &str, port: u16) -> Result<()> {
    // Some time is left for the new instances to come up in.
    let think = Some(Duration::ZERO..=Duration::from_millis(20));
    let keep = Shape::KeepAlive { body: 0, think };
    rolled_under(
        stage,
        name,
        port,
        vec![keep, Shape::OnePerConnection { rate: Some(200.0) }],
    )
}

fn rolled_under(stage: &Stage, name: &str, port: u16, shapes: Vec<Shape>) -> Result<()> {
    let before = stage.pids(name)?;
    let loads: Vec<_> = shapes.into_iter().map(|shape| stage.load(port, shape)).collect();
    stage.appctl_ok(&["rolling-restart", name])?;
    for report in loads.into_iter().map(appctl_lab::load::Load::stop) {
        println!(
            "{name}: {} ok, {} lost, {} pids",
            report.counts.ok,
            report.lost(),
            report.pids.len()
        );
        ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
        ensure!(report.pids.len() > 2, "old and new ones did not both answer:\n{report}");
    }
    all_replaced(&before, &stage.pids(name)?)
}

/// The same client, and an end that nobody drained: it does see what is lost.
fn crash_loses(stage: &Stage, name: &str, port: u16) -> Result<()> {
    let load = stage.load(port, Shape::KeepAlive { body: 0, think: None });
    eventually(Duration::from_secs(10), || {
        ensure!(load.answered() > 100);
        Ok(())
    })?;
    let pids: Vec<u64> = stage.pids(name)?.into_values().collect();
    stage.kill_amid_requests(&load, &pids, &pids)?;
    eventually(Duration::from_secs(10), || {
        ensure!(load.lost() > 0, "nothing was lost by a crash");
        Ok(())
    })?;
    println!("killed: {}", load.stop());
    Ok(())
}

/// Nobody is connected, so there is nobody to wait for: five stops take less time than a single linger.
fn idle_instances_wait_for_no_linger(stage: &Stage) -> Result<()> {
    const LINGER: Duration = Duration::from_secs(90);
    let stop = format!("[stop]\nlinger = \"{}s\"\ntimeout = \"200s\"\n", LINGER.as_secs());
    write(
        stage,
        "idle",
        "node signals.js",
        "listen = 3150\ninstances = 4\n",
        &stop,
    )?;
    stage.appctl_ok(&["apply", "idle"])?;
    let before = stage.pids("idle")?;
    let began = Instant::now();
    stage.appctl_ok(&["rolling-restart", "idle"])?;
    println!("four idle instances: {:.1?}", began.elapsed());
    ensure!(
        began.elapsed() < LINGER,
        "waited for idle instances: {:?}",
        began.elapsed()
    );
    all_replaced(&before, &stage.pids("idle")?)
}

/// What is sent is read by the app, unlike the head of a GET: then Node before 20 ends a session too early by itself.
const POSTS_OVER_HTTP2: Shape = Shape::Http2 {
    streams: 10,
    body: 64,
    think: Some(Duration::from_millis(10)..=Duration::from_millis(50)),
};

/// HTTP/2 with and without TLS, and WebSockets: what the strict client does not speak.
fn other_protocols(stage: &Stage) -> Result<()> {
    stage.bring("frameworks", "frameworks")?;
    let spread = "[stop]\nspread = \"500ms\"\n";
    let wait = "[stop]\nstreams = \"wait\"\ntimeout = \"2s\"\n";
    write(stage, "h2c", "node h2c.js", "listen = 3201\ninstances = 2\n", "")?;
    write(stage, "h2", "node h2.js", "listen = 3202\ninstances = 2\n", "")?;
    write(
        stage,
        "websocket",
        "node websocket.js",
        "listen = 3203\ninstances = 2\n",
        spread,
    )?;
    write(
        stage,
        "socketio",
        "node socketio.js",
        "listen = 3204\ninstances = 2\n",
        spread,
    )?;
    write(
        stage,
        "waits",
        "node websocket.js",
        "listen = 3205\ninstances = 2\n",
        wait,
    )?;
    stage.appctl_ok(&["apply"])?;
    for (name, url) in [("h2c", "http://127.0.0.1:3201"), ("h2", "https://127.0.0.1:3202")] {
        let said = rolled_while_asked(stage, name, "ask-h2.js", url, 0)?;
        ensure!(said["lost"] == 0 && said["ok"].as_u64() > Some(100), "{name}: {said}");
        ensure!(
            said["pids"].as_u64() >= Some(4) && said["goaways"].as_u64() >= Some(8),
            "{name}: {said}"
        );
    }
    rolled_under(stage, "h2c", 3201, vec![POSTS_OVER_HTTP2])?;
    rolled_under_load(stage, "socketio", 3204)?;
    websockets(stage)
}

/// Closed by 1001 after a whole message, or waited for and cut at the deadline, which the journal then says.
fn websockets(stage: &Stage) -> Result<()> {
    let said = rolled_while_asked(stage, "websocket", "ask-ws.js", "ws://127.0.0.1:3203/chat", 0)?;
    let codes = said["codes"].as_object().context("codes")?;
    ensure!(said["wrong"] == 0 && said["failed"] == 0, "{said}");
    ensure!(codes.len() == 1 && codes["1001"].as_u64() >= Some(16), "{said}");
    let url = "ws://127.0.0.1:3205/chat?ticket=secret";
    let said = rolled_while_asked(stage, "waits", "ask-ws.js", url, CUT)?;
    ensure!(said["codes"]["1006"].as_u64() >= Some(16), "nothing was cut: {said}");
    let journal = stage.host().journal("waits@*")?;
    let named = journal
        .matches("cut at the stop deadline: GET /chat (upgraded) after ")
        .count();
    ensure!(named >= 16 && !journal.contains("secret"), "{named} named in {journal}");
    ensure!(journal.contains("requests were cut"), "{journal}");
    Ok(())
}

/// What a client of the fixture's own printed after two rolling restarts.
fn rolled_while_asked(stage: &Stage, name: &str, client: &str, url: &str, code: i32) -> Result<Value> {
    let before = stage.pids(name)?;
    let client = asking(stage, client, url)?;
    until("the client is connected", PATIENCE, || is_connected(stage, url))?;
    rolled(stage, name, code)?;
    let between = stage.pids(name)?;
    all_replaced(&before, &between)?;
    rolled(stage, name, code)?;
    all_replaced(&between, &stage.pids(name)?)?;
    let output = client.wait_with_output()?;
    let (said, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    println!("{name}: {}", said.trim_end());
    serde_json::from_str(&said).with_context(|| format!("{name}: {said}{errors}"))
}

/// Whether a connection to the port of this URL is established (1) in the table of proc_net(5).
fn is_connected(stage: &Stage, url: &str) -> Result<Option<()>> {
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next());
    let local = format!(":{:04X}", port.context("a port")?.parse::<u16>()?);
    let tables = stage.host().run_ok(&["cat", "/proc/net/tcp", "/proc/net/tcp6"])?;
    let established = tables.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(3) == Some(&"01") && words[1].ends_with(&local)
    });
    Ok(established.then_some(()))
}

fn rolled(stage: &Stage, name: &str, code: i32) -> Result<()> {
    let output = stage.appctl(&["rolling-restart", name])?;
    ensure!(output.status == code, "{name}: not exit code {code}: {output:?}");
    Ok(())
}

/// Asks from now on, until its standard input ends, which happens when it is waited for.
fn asking(stage: &Stage, client: &str, url: &str) -> Result<Child> {
    let script = format!("/srv/frameworks/{client}");
    let mut command = stage.host().command(&["node", &script, url]);
    let piped = std::process::Stdio::piped;
    Ok(command.stdin(piped()).stdout(piped()).stderr(piped()).spawn()?)
}

/// wait_ready, shutdown_with_message, increment_var, NODE_APP_INSTANCE, and a handler for SIGINT that is not needed.
fn written_for_pm2(stage: &Stage) -> Result<()> {
    stage.bring("frameworks", "frameworks")?;
    let keys = "listen = 3301\ninstances = 2\nincrement = \"METRICS_PORT\"\nenv = { METRICS_PORT = 9100 }\n";
    let tables =
        "[ready]\nwhen = \"message\"\nsettle = \"100ms\"\n[stop]\nmessage = \"shutdown\"\nsignal = \"SIGINT\"\n";
    write(stage, "pm2", "node pm2.js", keys, tables)?;
    stage.appctl_ok(&["apply", "pm2"])?;
    for (port, instance) in [(9100, "instance 0\n"), (9101, "instance 1\n")] {
        let said = stage
            .host()
            .run_ok(&["curl", "--silent", &format!("http://127.0.0.1:{port}/")])?;
        ensure!(said == instance, "{port}: {said}");
    }
    rolled_under_load(stage, "pm2", 3301)?;
    let journal = stage.host().journal("pm2@*")?;
    ensure!(journal.matches("message: closing").count() == 3, "{journal}");
    ensure!(!journal.contains("SIGINT: closing"), "{journal}");
    Ok(())
}
