//! How a release comes about on a real system: as whom, seeing and writing what, and what is left when it fails.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Output, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(
    builds_run_as_the_app_and_are_sealed,
    failed_builds_leave_nothing,
    archives_and_commits_never_pass_through_root,
    a_full_disk_changes_nothing,
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
    let work: u64 = host.run_ok(&["id", "--user", "work"])?.trim_end().parse()?;
    let uid = report["uid"].as_u64().context("a uid")?;
    ensure!(if named { uid == work } else { uid >= 61184 }, "{report}");
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
            "ended with exit status 7",
        ),
        (
            "[\"node\", \"-e\", \"process.kill(process.pid, 'SIGKILL')\"]",
            "was killed by signal 9",
        ),
        ("[\"no-such-program\"]", "no program that can be run here"),
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

/// Standard input is held open, so that the unpacker can be looked at.
fn archives_and_commits_never_pass_through_root(stage: &Stage) -> Result<()> {
    let host = stage.host();
    configure(stage, "", "")?;
    let script = "(sleep 1000) | appctl stage web -";
    let mut child = host.spawn(&["bash", "-c", script])?;
    eventually(Duration::from_secs(20), || {
        let pid = host.run_ok(&["pgrep", "-f", "^/proc/self/exe unpack"])?;
        let user = host.run_ok(&["ps", "-o", "user:32=", "-p", pid.trim_end()])?;
        ensure!(user.trim_end() == "appctl-unpack", "{user}");
        Ok(())
    })?;
    host.run_ok(&["pkill", "-x", "sleep"])?;
    child.wait()?;
    nothing_is_left(stage)?;
    a_commit_of_someone_elses(stage)
}

/// Behind sudo it is the person who fetches, and whose the clone is; the release is root's.
fn a_commit_of_someone_elses(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--create-home", "ann"])?;
    host.write_file("/home/ann/app/server.js", "1")?;
    host.run_ok(&["chown", "-R", "ann:", "/home/ann/app"])?;
    for line in [
        "git init -q -b main",
        "git add -A",
        "git -c user.name=a -c user.email=a@b commit -q -m one",
    ] {
        let git: Vec<&str> = ["runuser", "-u", "ann", "--", "env", "-C", "/home/ann/app"]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        host.run_ok(&git)?;
    }
    let uid = host.run_ok(&["id", "--user", "ann"])?;
    let sudo = format!("SUDO_UID={}", uid.trim_end());
    let stage_git = [
        "appctl",
        "stage",
        "web",
        "--git",
        "/home/ann/app",
        "--ref",
        "main",
        "--json",
    ];
    let text = host.run_ok(&[&["env", &sudo][..], &stage_git].concat())?;
    let staged: Value = serde_json::from_str(text.lines().last().context("a line")?)?;
    is_sealed(host, &release(&staged)?)?;
    let foreign = host.run_ok(&["find", &format!("{STATE}/git"), "-mindepth", "1", "!", "-user", "ann"])?;
    ensure!(foreign.is_empty(), "not ann's: {foreign}");
    // Root itself: git runs as the repository's owner and reads their configuration as them.
    let again = stage_json(stage, &["--git", "/home/ann/app", "--ref", "main"])?;
    ensure!(again["existing"] == true, "{again}");
    Ok(())
}

/// A disk of 8 MB, full at each step in turn.
fn a_full_disk_changes_nothing(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&[
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=8m,mode=0755",
        "none",
        "/var/lib/appctl",
    ])?;
    host.write_file("/srv/app/server.js", "1")?;
    configure(stage, "", "")?;
    let first = release(&stage_json(stage, &["/srv/app"])?)?;
    host.run_ok(&["mkdir", "/srv/large"])?;
    host.run_ok(&[
        "dd",
        "if=/dev/urandom",
        "of=/srv/large/blob",
        "bs=1M",
        "count=9",
        "status=none",
    ])?;
    host.run_ok(&["tar", "--create", "--file", "/srv/large.tar", "-C", "/srv", "large"])?;
    for source in ["/srv/large", "/srv/large.tar"] {
        let output = refused(stage, 1, &[source], "No space left on device")?;
        ensure!(output.stderr.contains("appctl prune web"), "{output:?}");
    }
    full_while_building(stage)?;
    let releases = host.run_ok(&["ls", "-A", &format!("{STATE}/releases")])?;
    ensure!(first.ends_with(releases.trim_end()), "{releases}");
    host.run_ok(&["umount", "/var/lib/appctl"]).map(drop)
}

fn full_while_building(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    let fill = "require('fs').writeFileSync('blob', require('crypto').randomBytes(SIZE))";
    // In the build itself, and in the copy of what it made.
    for (size, code) in [("9e6", 4), ("5e6", 1)] {
        let build = format!("build = [\"node\", \"-e\", \"{}\"]", fill.replace("SIZE", size));
        configure(stage, "user = \"work\"", &build)?;
        refused(stage, code, &["/srv/app"], "")?;
    }
    Ok(())
}
