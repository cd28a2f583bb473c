//! How a release comes about on a real system: as whom, seeing and writing what, and what is left when it fails.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Output, Stage, on_each_debian};
use serde_json::Value;

mod disk;
mod shared;
mod sources;

use disk::a_full_disk_changes_nothing;
use shared::a_transient_account_keeps_what_is_shared;
use sources::archives_and_commits_never_pass_through_root;

on_each_debian!(
    builds_run_as_the_app_and_are_sealed,
    failed_builds_leave_nothing,
    archives_and_commits_never_pass_through_root,
    a_full_disk_changes_nothing,
    a_transient_account_keeps_what_is_shared,
);

const STATE: &str = "/var/lib/appctl/web";
/// Tells who it is and where it may write, and makes something.
const BUILD: &str = "\
const fs = require('fs');
const tried = ['/var/lib/appctl/web/x', '/srv/x', '/etc/x', '/usr/x', '/var/tmp/../x'].filter((path) => {
  try { fs.writeFileSync(path, ''); return true; } catch { return false; }
});
fs.mkdirSync('dist');
fs.writeFileSync('dist/report.json', JSON.stringify({
  uid: process.getuid(), cwd: process.cwd(), wrote: tried, home: process.env.HOME, siblings: fs.readdirSync('..').length,
}));
fs.writeFileSync(process.env.HOME + '/cached', '');
console.log('built by', process.getuid());
";

fn configure(stage: &Stage, account: &str, deploy: &str) -> Result<()> {
    let text = format!("exec = \"node server.js\"\nlisten = 3000\n{account}\n[deploy]\n{deploy}\n");
    stage.host().write_file("/etc/appctl/apps/web.toml", &text)
}

fn stage_json(stage: &Stage, words: &[&str]) -> Result<Value> {
    let text = stage.appctl_ok(&[&["stage", "web", "--json"], words].concat())?;
    let last = text.lines().last().context("a line")?;
    Ok(serde_json::from_str(last)?)
}

fn release(staged: &Value) -> Result<String> {
    let id = staged["release"]
        .as_str()
        .with_context(|| format!("a release in {staged}"))?;
    Ok(format!("{STATE}/releases/{id}"))
}

/// A transient account and a named one, in both sandboxes.
fn builds_run_as_the_app_and_are_sealed(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    host.write_file("/srv/app/server.js", "setInterval(() => {}, 1000)")?;
    host.write_file("/srv/app/build.js", BUILD)?;
    for (turn, account) in [
        "",
        "sandbox = \"strict\"",
        "user = \"work\"",
        "user = \"work\"\nsandbox = \"strict\"",
    ]
    .iter()
    .enumerate()
    {
        configure(
            stage,
            account,
            &format!("build = [[\"node\", \"--version\"], [\"node\", \"build.js\", \"{turn}\"]]"),
        )?;
        let staged = stage_json(stage, &["/srv/app"])?;
        let path = release(&staged)?;
        built_as_wanted(stage, &path, account.contains("work"))?;
        is_sealed(host, &path)?;
        let again = stage_json(stage, &["/srv/app"])?;
        ensure!(again["existing"] == true && release(&again)? == path, "{again}");
    }
    nothing_is_left(stage)?;
    let said = host.journal("web.task.*")?;
    ensure!(said.matches("built by").count() == 4, "{said}");
    Ok(())
}

fn built_as_wanted(stage: &Stage, path: &str, named: bool) -> Result<()> {
    let host = stage.host();
    let report: Value = serde_json::from_str(&host.read_file(&format!("{path}/dist/report.json"))?)?;
    let account = if named { "work" } else { "appctl-web" };
    let own: u64 = host.run_ok(&["id", "--user", account])?.trim_end().parse()?;
    let uid = report["uid"].as_u64().context("a uid")?;
    ensure!(uid == own, "{report}");
    ensure!(report["cwd"] == path && report["siblings"] == 1, "{report}");
    ensure!(report["wrote"] == serde_json::json!([]), "{report}");
    ensure!(report["home"] == format!("{STATE}/cache"), "{report}");
    Ok(())
}

fn is_sealed(host: &dyn Host, path: &str) -> Result<()> {
    let writable = host.run_ok(&[
        "find", path, "(", "!", "-user", "root", "-o", "-perm", "/0022", ")", "!", "-type", "l",
    ])?;
    ensure!(writable.is_empty(), "not sealed: {writable}");
    Ok(())
}

fn nothing_is_left(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let hidden = host.run_ok(&["find", &format!("{STATE}/releases"), "-maxdepth", "1", "-name", ".*"])?;
    ensure!(hidden.is_empty(), "left behind: {hidden}");
    for name in ["build", "intake"] {
        for path in [format!("{STATE}/{name}"), format!("/var/lib/private/appctl/web/{name}")] {
            let there = host.run(&["test", "-e", &path, "-o", "-L", &path])?.success();
            ensure!(!there, "left behind: {path}");
        }
    }
    let units = host.run_ok(&[
        "systemctl",
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "web.task.*",
    ])?;
    ensure!(units.is_empty(), "left behind: {units}");
    Ok(())
}

fn refused(stage: &Stage, code: i32, words: &[&str], says: &str) -> Result<Output> {
    let output = stage.appctl(&[&["stage", "web"], words].concat())?;
    ensure!(
        output.status == code && output.stderr.contains(says),
        "{words:?}: {output:?}"
    );
    nothing_is_left(stage)?;
    Ok(output)
}

fn failed_builds_leave_nothing(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/srv/app/server.js", "")?;
    for (build, says) in [
        (
            "[\"node\", \"-e\", \"console.log('why'); process.exit(7)\"]",
            "exited with status 7",
        ),
        (
            "[\"node\", \"-e\", \"process.kill(process.pid, 'SIGKILL')\"]",
            "was killed by signal 9",
        ),
        ("[\"no-such-program\"]", "not a program that can run here"),
        ("[\"sleep\", \"1000\"]\nbuild_timeout = \"1s\"", "did not end within 1s"),
    ] {
        configure(stage, "", &format!("build = {build}"))?;
        let output = refused(stage, 4, &["/srv/app"], says)?;
        ensure!(!build.contains("why") || output.stdout.contains("| why"), "{output:?}");
    }
    let releases = host.run_ok(&["ls", "-A", &format!("{STATE}/releases")])?;
    ensure!(releases.is_empty(), "{releases}");
    killed_in_a_build(stage)
}

/// The build of a killed `appctl` ends with the next attempt, which also removes what it left.
fn killed_in_a_build(stage: &Stage) -> Result<()> {
    let host = stage.host();
    configure(stage, "", "build = [\"sleep\", \"1000\"]")?;
    let mut child = host.spawn(&["appctl", "stage", "web", "/srv/app"])?;
    eventually(Duration::from_secs(20), || {
        host.run_ok(&["pgrep", "-x", "sleep"]).map(drop)
    })?;
    host.run_ok(&["pkill", "-KILL", "-x", "appctl"])?;
    child.wait()?;
    configure(stage, "", "")?;
    stage_json(stage, &["/srv/app"])?;
    ensure!(!host.run(&["pgrep", "-x", "sleep"])?.success(), "the build still runs");
    nothing_is_left(stage)
}
