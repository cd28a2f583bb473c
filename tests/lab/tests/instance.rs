//! One instance and what can be taken away from under it: it says what is missing, never loops without a pause, and
//! comes back when the thing does.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::{throughout, until};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    a_deleted_account_is_no_hot_loop,
    a_deleted_file_of_variables_is_no_hot_loop,
    a_file_of_variables_that_comes_late_is_read,
    a_missing_directory_is_named_and_waited_for,
    an_account_of_its_own_is_never_one_of_the_system,
    crashes_are_counted_across_shims,
    a_long_wait_is_neither_shot_nor_in_the_way_of_a_stop,
    belongs_to_its_account_and_leaves_nothing,
);

const LIMIT: Duration = Duration::from_secs(30);
const UNIT: &str = "myapp@1.service";
const FILE: &str = "/etc/appctl/apps/myapp.toml";

fn install(stage: &Stage, options: &[&str], more: &str) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&[&["install", "myapp", &app], options].concat())?;
    if more.is_empty() {
        return Ok(());
    }
    let text = stage.host().read_file(FILE)?;
    stage.host().write_file(FILE, &format!("{more}\n{text}"))?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

/// Kills the app's own process and waits until its shim is gone too.
fn crash(stage: &Stage) -> Result<()> {
    let pid = until("a running app", LIMIT, || Ok(stage.pids("myapp")?.get("1").copied()))?;
    stage.host().run_ok(&["kill", "-KILL", &pid.to_string()])?;
    until("the crash is noticed", LIMIT, || {
        let now = stage.members("myapp")?.get("1").and_then(|member| member.pid);
        Ok((now != Some(pid)).then_some(()))
    })
}

/// How often systemd tried in two seconds.
fn attempts(stage: &Stage) -> Result<usize> {
    let count = || anyhow::Ok(stage.host().journal(UNIT)?.lines().count());
    let before = count()?;
    throughout(Duration::from_secs(2), || Ok(()))?;
    Ok(count()? - before)
}

fn no_hot_loop(stage: &Stage) -> Result<()> {
    let lines = attempts(stage)?;
    ensure!(
        lines < 40,
        "{lines} lines in two seconds:\n{}",
        stage.host().journal(UNIT)?
    );
    Ok(())
}

fn up(stage: &Stage) -> Result<()> {
    until("the instance is up", LIMIT, || {
        Ok((stage.activity(UNIT)? == "active").then_some(()))
    })
}

fn a_deleted_account_is_no_hot_loop(stage: &Stage) -> Result<()> {
    install(stage, &["--user", "work"], "")?;
    stage.host().run(&["userdel", "--force", "work"])?;
    ensure!(
        !stage.host().run(&["id", "work"])?.success(),
        "the account is still there"
    );
    crash(stage)?;
    no_hot_loop(stage)?;
    ensure!(
        stage.activity(UNIT)? == "failed",
        "{}",
        stage.systemctl(&["show", UNIT])?
    );
    ensure!(stage.property(UNIT, "ExecMainStatus")? == "217");
    stage.host().run_ok(&["useradd", "--system", "work"])?;
    stage.appctl_ok(&["start", "myapp"])?;
    up(stage)
}

fn a_deleted_file_of_variables_is_no_hot_loop(stage: &Stage) -> Result<()> {
    stage.host().write_file("/etc/myapp.env", "A=1\n")?;
    install(stage, &["--user", "work"], "env_file = \"/etc/myapp.env\"")?;
    stage.host().run_ok(&["rm", "/etc/myapp.env"])?;
    crash(stage)?;
    until("the shim names the file", LIMIT, || {
        let journal = stage.host().journal(UNIT)?;
        Ok(journal.contains("env_file /etc/myapp.env does not exist").then_some(()))
    })?;
    no_hot_loop(stage)?;
    ensure!(stage.activity("myapp.socket")? == "active", "the socket went with it");
    // At once: a start may come while it is being written.
    stage.host().write_file("/etc/myapp.new", "A=2\n")?;
    stage.host().run_ok(&["mv", "/etc/myapp.new", "/etc/myapp.env"])?;
    up(stage)?;
    has_variable(stage, "A=2")
}

fn has_variable(stage: &Stage, wanted: &str) -> Result<()> {
    let pid = stage.pids("myapp")?["1"];
    let environment = stage.host().read_file(&format!("/proc/{pid}/environ"))?;
    ensure!(
        environment.split('\0').any(|pair| pair == wanted),
        "without its variables: {environment}\n{}",
        stage.host().journal(UNIT)?
    );
    Ok(())
}

/// systemd reads before the shim is there to look. A file that is written in between, here always by what stands before
/// the shim, has not been read.
fn a_file_of_variables_that_comes_late_is_read(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/etc/myapp.env", "A=1\n")?;
    install(stage, &["--user", "work"], "env_file = \"/etc/myapp.env\"")?;
    let late = "#!/bin/sh\n[ -e /etc/myapp.env ] || echo A=2 >/etc/myapp.env\nexec \"$@\"\n";
    host.write_file("/usr/local/bin/late", late)?;
    host.run_ok(&["chmod", "755", "/usr/local/bin/late"])?;
    let unit = host.run_ok(&["systemctl", "cat", UNIT])?;
    let begin = unit.lines().find_map(|line| line.strip_prefix("ExecStart=:"));
    let begin = begin.context("the command of an instance")?;
    // With all rights, to write in /etc.
    let with_late = format!("[Service]\nExecStart=\nExecStart=+:/usr/local/bin/late {begin}\n");
    stage.drop_in("myapp@.service", &with_late)?;
    for _ in 0..3 {
        host.run_ok(&["rm", "/etc/myapp.env"])?;
        stage.systemctl(&["restart", "myapp@1.service"]).ok();
        up(stage)?;
        has_variable(stage, "A=2")?;
    }
    Ok(())
}

fn a_missing_directory_is_named_and_waited_for(stage: &Stage) -> Result<()> {
    install(stage, &["--user", "work", "--in-place"], "")?;
    stage.host().run_ok(&["mv", "/srv/myapp", "/srv/away"])?;
    crash(stage)?;
    until("the shim names the directory", LIMIT, || {
        Ok(stage
            .host()
            .journal(UNIT)?
            .contains("directory /srv/myapp does not exist")
            .then_some(()))
    })?;
    until("it waits", LIMIT, || {
        Ok((stage.members("myapp")?["1"].state == "backing-off").then_some(()))
    })?;
    no_hot_loop(stage)?;
    stage.host().run_ok(&["mv", "/srv/away", "/srv/myapp"])?;
    up(stage)
}

fn an_account_of_its_own_is_never_one_of_the_system(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "www")?;
    stage.appctl_ok(&["install", "www-data", &app])?;
    let pid = stage.pids("www-data")?["1"].to_string();
    let owner = stage.host().run_ok(&["ps", "-o", "user:32=", "-p", &pid])?;
    ensure!(owner.trim() == "appctl-www-data", "runs as {owner}");
    Ok(())
}

fn crashes_are_counted_across_shims(stage: &Stage) -> Result<()> {
    install(stage, &["--user", "work"], "")?;
    for _ in 0..3 {
        crash(stage)?;
    }
    let text = until("the third crash", LIMIT, || {
        let text = stage.property(UNIT, "StatusText")?;
        Ok(text.contains("crashes 3").then_some(text))
    })?;
    println!("{text}");
    // The shim says so before systemd acts on it.
    until("the third restart", LIMIT, || {
        Ok((stage.property(UNIT, "NRestarts")? == "3").then_some(()))
    })?;
    up(stage)?;
    // A stop by hand begins anew.
    stage.systemctl(&["restart", UNIT])?;
    let text = stage.property(UNIT, "StatusText")?;
    ensure!(text.contains("crashes 0"), "{text}");
    Ok(())
}

/// systemd's own deadline for a start is 18 s here, and the wait is 22 s.
fn a_long_wait_is_neither_shot_nor_in_the_way_of_a_stop(stage: &Stage) -> Result<()> {
    install(stage, &["--user", "work"], "")?;
    let text = stage.host().read_file(FILE)?;
    let waits = "[ready]\ntimeout = \"8s\"\n[restart]\ndelay = \"22s\"\n";
    stage.host().write_file(FILE, &format!("{text}\n{waits}"))?;
    stage.appctl_ok(&["apply", "myapp"])?;
    crash(stage)?;
    crash(stage)?;
    let waiting = || Ok((stage.members("myapp")?["1"].state == "backing-off").then_some(()));
    until("it waits", LIMIT, waiting)?;
    let since = Instant::now();
    up(stage)?;
    ensure!(
        since.elapsed() > Duration::from_secs(19),
        "it waited {:?}",
        since.elapsed()
    );
    ensure!(
        stage.property(UNIT, "NRestarts")? == "2",
        "it was shot:\n{}",
        stage.host().journal(UNIT)?
    );
    crash(stage)?;
    until("it waits", LIMIT, || {
        Ok((stage.members("myapp")?["1"].state == "backing-off").then_some(()))
    })?;
    let asked = Instant::now();
    stage.systemctl(&["stop", UNIT])?;
    ensure!(
        asked.elapsed() < Duration::from_secs(3),
        "the stop took {:?}",
        asked.elapsed()
    );
    ensure!(stage.activity(UNIT)? == "inactive");
    Ok(())
}

fn belongs_to_its_account_and_leaves_nothing(stage: &Stage) -> Result<()> {
    install(stage, &["--user", "work"], "")?;
    let owner = stage
        .host()
        .run_ok(&["stat", "--format=%U %a", "/run/appctl/myapp/instance/1"])?;
    ensure!(owner.trim() == "work 700", "{owner}");
    // A child of the app that ignores the stop request.
    let pid = stage.pids("myapp")?["1"].to_string();
    let group = stage.property(UNIT, "ControlGroup")?;
    let adopt = format!(
        "setsid sh -c 'echo $$ > /sys/fs/cgroup{group}/cgroup.procs; trap \"\" TERM; sleep 1000' >/dev/null 2>&1 &"
    );
    stage.host().run_ok(&["sh", "-c", &adopt])?;
    let procs = format!("/sys/fs/cgroup{group}/cgroup.procs");
    until("the child is in the group", LIMIT, || {
        Ok((stage.host().read_file(&procs)?.lines().count() >= 4).then_some(()))
    })?;
    stage.systemctl(&["stop", UNIT])?;
    ensure!(
        !stage.host().run(&["kill", "-0", &pid])?.success(),
        "the app is still there"
    );
    ensure!(
        !stage.host().run(&["pgrep", "-x", "sleep"])?.success(),
        "its child is still there"
    );
    Ok(())
}
