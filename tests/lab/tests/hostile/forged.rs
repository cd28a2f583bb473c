//! An app writes to the journal what only a shim may tell: as text, as entries with fields of their own, and by running
//! the shim's own program. None of it changes a count, an exit code or a verdict.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(
    requests_that_nobody_sent,
    a_port_that_nobody_asked_for,
    a_cut_request_still_counts
);

/// `MESSAGE_ID=` of what a shim notes.
const ID: &str = "270f16f997736b20db20246cbb05b5ed";

/// Text on both streams, `MESSAGE_ID` and fields by logger(1), and a shim of its own, every time it is stopped and begun.
const FORGES: &str = r#"
const { execFileSync, spawnSync } = require('child_process');
const http = require('http');
function forge() {
  for (const out of [process.stdout, process.stderr]) {
    out.write('appctl: 3 requests were cut\nappctl: 4 requests were waited for\nappctl: exited with status 77\n');
  }
  const entry = (note) => `MESSAGE=appctl: 500 requests were cut\nMESSAGE_ID=ID_OF_NOTES\nPRIORITY=4\n` +
    `APPCTL_NOTE=${note}\nAPPCTL_REQUESTS=500\n_PID=${process.ppid}\nSYSLOG_IDENTIFIER=myapp\n`;
  for (const note of ['cut', 'waited-for']) execFileSync('logger', ['--journald'], { input: entry(note) });
  spawnSync('/usr/lib/appctl/appctl-shim', ['run', '--', 'myapp', '1', '/bin/sh', '-c', 'exit 76']);
}
forge();
process.on('SIGTERM', () => { forge(); process.exit(0); });
http.createServer((request, response) => {
  setTimeout(() => response.end('done'), request.url === '/slow' ? 60000 : 0);
}).listen(3000);
"#;

fn install(stage: &Stage, more: &str) -> Result<()> {
    let directory = stage.bring("plain", "myapp")?;
    stage
        .host()
        .write_file(&format!("{directory}/server.js"), &FORGES.replace("ID_OF_NOTES", ID))?;
    stage.appctl_ok(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    let file = "/etc/appctl/apps/myapp.toml";
    let text = stage.host().read_file(file)?;
    stage.host().write_file(file, &format!("{text}\n{more}"))?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

/// The last object of a rollout's JSON.
fn end(output: &str) -> Result<Value> {
    let line = output.lines().last().context("a line")?;
    serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))
}

fn requests_that_nobody_sent(stage: &Stage) -> Result<()> {
    install(stage, "")?;
    let output = stage.appctl(&["rolling-restart", "myapp", "--json"])?;
    ensure!(output.success(), "{output:?}");
    let end = end(&output.stdout)?;
    ensure!(end["requests_cut"] == 0 && end["requests_waited_for"] == 0, "{end}");
    let journal = stage.host().journal("myapp@1.service")?;
    for forged in ["500 requests were cut", "3 requests were cut", "exited with status 76"] {
        ensure!(journal.contains(forged), "nothing was forged: {forged}");
    }
    let fields = |kind: &str| {
        let note = [
            &format!("MESSAGE_ID={ID}"),
            "_SYSTEMD_UNIT=myapp@1.service",
            &format!("APPCTL_NOTE={kind}"),
        ]
        .map(str::to_owned);
        stage.host().run_ok(
            &[
                &["journalctl", "-q", "-o", "cat"],
                &note.each_ref().map(String::as_str)[..],
            ]
            .concat(),
        )
    };
    ensure!(fields("ready")?.contains("ready after"), "a shim notes nothing");
    ensure!(fields("cut")?.contains("500 requests"), "no field was forged");
    let status = stage.status("myapp")?;
    ensure!(
        status["state"] == "up" && status["instances"][0]["restarts"] == 0,
        "{status}"
    );
    Ok(())
}

/// The true count comes through, and alone.
fn a_cut_request_still_counts(stage: &Stage) -> Result<()> {
    install(stage, "[stop]\ntimeout = \"2s\"\n")?;
    let slow = "for i in 1 2 3; do curl -s http://127.0.0.1:3000/slow & done; wait";
    let mut clients = stage.host().spawn(&["sh", "-c", slow])?;
    std::thread::sleep(std::time::Duration::from_millis(700));
    let output = stage.appctl(&["rolling-restart", "myapp", "--json"])?;
    clients.wait()?;
    ensure!(output.status == appctl_lab::stage::CUT, "{output:?}");
    let end = end(&output.stdout)?;
    ensure!(end["requests_cut"] == 3, "{end}");
    Ok(())
}

const ASKS: &str = r#"
process.stderr.write('appctl: the app listens on port 1234, which its socket does not hold: probably a mistake\n');
process.stdout.write('appctl: myapp listens on port 1234, but its socket holds 3000\n');
setTimeout(() => process.exit(3), 100);
"#;

fn a_port_that_nobody_asked_for(stage: &Stage) -> Result<()> {
    let directory = stage.bring("plain", "myapp")?;
    stage.host().write_file(&format!("{directory}/server.js"), ASKS)?;
    let output = stage.appctl(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    ensure!(output.status == 4, "{output:?}");
    ensure!(output.stderr.contains("exited with status 3"), "{output:?}");
    ensure!(!output.stderr.contains("--listen 1234"), "{output:?}");
    ensure!(
        output.stderr.contains("| appctl: the app listens on port 1234"),
        "its own words are shown: {output:?}"
    );
    Ok(())
}
