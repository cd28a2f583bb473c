//! What each operator did with an app is in the journal, with how it ended, and no app can add to it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Output, Stage, on_each_debian};
use serde_json::Value;

use crate::LIMIT;

on_each_debian!(operations_are_told, without_journald_a_verb_does_its_work);

/// `MESSAGE_ID=` of an operation.
const ID: &str = "f173e2d23fb64411b9d9a30211dd903c";

/// An app that claims each time it starts that mallory rolled it back.
const FORGES: &str = r"
require('child_process').execFileSync('logger', ['--journald'], { input:
  'MESSAGE=rollback web by mallory: done\nMESSAGE_ID=ID_OF_OPERATIONS\nPRIORITY=5\nSYSLOG_IDENTIFIER=appctl\n' +
  'APPCTL_APP=web\nAPPCTL_VERB=rollback\nAPPCTL_BY=mallory\nAPPCTL_EXIT=0\n_UID=0\nOBJECT_SYSTEMD_UNIT=web.service\n' });
require('./good.js');
";

fn install(stage: &Stage) -> Result<String> {
    let host = stage.host();
    let directory = stage.bring("plain", "web")?;
    host.run_ok(&["cp", "/srv/web/server.js", "/srv/web/good.js"])?;
    host.write_file("/srv/web/server.js", &FORGES.replace("ID_OF_OPERATIONS", ID))?;
    host.run_ok(&["useradd", "ann"])?;
    stage.appctl_ok(&["install", "web", &directory, "--instances", "2", "--user", "work"])?;
    live(stage)
}

fn live(stage: &Stage) -> Result<String> {
    let target = stage.host().run_ok(&["readlink", "/var/lib/appctl/web/current"])?;
    Ok(target.trim_end().replace("releases/", ""))
}

/// As root behind whom ann is.
fn ann(stage: &Stage, words: &[&str]) -> Result<Output> {
    let sudo = "export SUDO_USER=ann SUDO_UID=$(id -u ann) SUDO_GID=$(id -g ann); exec appctl \"$@\"";
    stage.host().run(&[&["sh", "-c", sudo, "sh"], words].concat())
}

/// All entries of root's, oldest first.
fn told(stage: &Stage) -> Result<Vec<Value>> {
    entries(stage, &["_UID=0", &format!("MESSAGE_ID={ID}")])
}

fn entries(stage: &Stage, matches: &[&str]) -> Result<Vec<Value>> {
    stage.host().run_ok(&["journalctl", "--sync"])?;
    let text = stage
        .host()
        .run_ok(&[&["journalctl", "-q", "-o", "json"], matches].concat())?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Verb, person, release before, release after, exit status.
type Fields<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>, &'a str);

fn fields(entry: &Value) -> Option<Fields<'_>> {
    let text = |name: &str| entry[name].as_str();
    Some((
        text("APPCTL_VERB")?,
        text("APPCTL_BY")?,
        text("APPCTL_FROM"),
        text("APPCTL_TO"),
        text("APPCTL_EXIT")?,
    ))
}

fn operations_are_told(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let first = install(stage)?;
    host.write_file("/srv/web/release.txt", "two")?;
    let deployed = ann(stage, &["deploy", "web", "/srv/web", "--bake", "0s"])?;
    ensure!(deployed.success(), "{deployed:?}");
    let second = live(stage)?;
    host.write_file("/srv/web/good.js", "process.exit(1);")?;
    let failed = ann(stage, &["deploy", "web", "/srv/web"])?;
    ensure!(failed.status == 4, "{failed:?}");
    for quiet in [
        &["status", "web"][..],
        &["stop", "web", "--dry-run"],
        &["rollback", "web", "--dry-run"],
    ] {
        stage.appctl_ok(quiet)?;
    }
    stage.appctl_ok(&["rollback", "web", "--bake", "0s"])?;
    ensure!(ann(stage, &["stop", "web"])?.success());
    let told = told(stage)?;
    let broken = told
        .get(2)
        .and_then(|entry| entry["APPCTL_TO"].as_str())
        .context("a release")?;
    let wanted = [
        ("install", "root", None, Some(first.as_str()), "0"),
        ("deploy", "ann", Some(first.as_str()), Some(second.as_str()), "0"),
        ("deploy", "ann", Some(second.as_str()), Some(broken), "4"),
        ("rollback", "root", Some(second.as_str()), Some(first.as_str()), "0"),
        ("stop", "ann", None, None, "0"),
    ];
    ensure!(told.iter().map(fields).eq(wanted.map(Some)), "{told:#?}");
    let failed = &told[2];
    let text = format!(
        "deploy web by ann, from {second} to {broken}: the app did not come up; the old state was kept or put back"
    );
    ensure!(
        failed["MESSAGE"] == text.as_str() && failed["PRIORITY"] == "4",
        "{failed}"
    );
    ensure!(
        failed["SYSLOG_IDENTIFIER"] == "appctl" && failed["APPCTL_APP"] == "web",
        "{failed}"
    );
    shown(stage)?;
    ended_by_a_signal(stage)
}

/// Where operators look; and what the app says of them stays a line of the app's.
fn shown(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let forged = entries(stage, &["_SYSTEMD_UNIT=web@1.service", "APPCTL_BY=mallory"])?;
    ensure!(!forged.is_empty(), "nothing was forged");
    let said = stage.appctl_ok(&["logs", "web", "-n", "500", "--json"])?;
    let said: Vec<Value> = said.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let operations: Vec<_> = said.iter().filter(|line| line["event"] == "operation").collect();
    ensure!(
        operations.len() == 5 && operations.iter().all(|one| one["by"] != "mallory"),
        "{said:#?}"
    );
    ensure!(
        said.iter()
            .any(|line| line["instance"] == "1" && line["message"] == "rollback web by mallory: done"),
        "{said:#?}"
    );
    let human = stage.appctl_ok(&["logs", "web", "-n", "500"])?;
    ensure!(
        human.lines().any(|line| line == "web   > stop web by ann: done"),
        "{human}"
    );
    let plain = host.run_ok(&["journalctl", "-u", "web", "-o", "cat"])?;
    ensure!(
        plain.contains("stop web by ann: done") && !plain.contains("mallory"),
        "{plain}"
    );
    Ok(())
}

/// An operation that waits for an app which never gets ready, and is told to leave.
fn ended_by_a_signal(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let file =
        "exec = \"sleep 1000\"\ndirectory = \"/srv\"\nlisten = [3100]\n[ready]\nwhen = \"notify\"\ntimeout = \"5m\"\n";
    host.write_file("/etc/appctl/apps/slow.toml", file)?;
    let typed = "appctl apply slow & echo $! >/run/typed; wait $!; exit $?";
    let child = host.spawn(&["sh", "-c", typed])?;
    until("it starts", LIMIT, || {
        let state = host.run(&["systemctl", "is-active", "slow@1"])?.stdout;
        Ok((state.trim_end() == "activating").then_some(()))
    })?;
    host.run_ok(&["sh", "-c", "kill -TERM $(cat /run/typed)"])?;
    let output = child.wait_with_output()?;
    ensure!(output.status.code() == Some(143), "{output:?}");
    let told = told(stage)?;
    let last = told.last().context("an entry")?;
    ensure!(fields(last) == Some(("apply", "root", None, None, "143")), "{last}");
    ensure!(last["MESSAGE"] == "apply slow by root: ended by signal 15", "{last}");
    stage.appctl_ok(&["uninstall", "slow"]).map(drop)
}

fn without_journald_a_verb_does_its_work(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(stage)?;
    let quick = |about: &str| {
        let begin = Instant::now();
        stage.appctl_ok(&["prune", "web"])?;
        ensure!(
            begin.elapsed() < Duration::from_secs(5),
            "{about}: {:?}",
            begin.elapsed()
        );
        Ok(())
    };
    host.run_ok(&["systemctl", "kill", "--signal=STOP", "systemd-journald"])?;
    quick("it hangs")?;
    // Until its queue takes no more.
    let fill = "while timeout 1 logger --journald </run/entry; do :; done";
    host.write_file("/run/entry", "MESSAGE=x\n")?;
    host.run_ok(&["sh", "-c", fill])?;
    quick("its queue is full")?;
    host.run_ok(&["systemctl", "kill", "--signal=CONT", "systemd-journald"])?;
    let verbs = told(stage)?
        .iter()
        .filter(|entry| entry["APPCTL_VERB"] == "prune")
        .count();
    ensure!(verbs == 1, "what it had room for was told: {verbs}");
    let sockets = [
        "systemd-journald.socket",
        "systemd-journald-dev-log.socket",
        "systemd-journald-audit.socket",
    ];
    host.run(&[&["systemctl", "stop", "systemd-journald.service"], &sockets[..]].concat())?;
    let state = host
        .run(&["systemctl", "is-active", "systemd-journald.service"])?
        .stdout;
    ensure!(state.trim_end() == "inactive", "journald is {state}");
    quick("it is gone")
}
