//! Addresses that an app cannot have, and sockets that begin anew: whatever happens to them, the app is not left down.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::LIMIT;

on_each_debian!(
    a_change_of_addresses_leaves_no_app_down,
    a_change_of_addresses_that_was_killed_is_told_and_finished,
    a_socket_that_is_restarted_listens_again,
);

const FILE: &str = "/etc/appctl/apps/myapp.toml";
const OLD_STATE_KEPT: i32 = 4;
/// A port that another process has, and paths that cannot be: below a file, below /proc, where a directory is.
const IMPOSSIBLE: [(&str, &str); 4] = [
    ("3000, 3999", "port 3999 is in use by node"),
    ("3000, \"/etc/hostname/myapp.sock\"", "not a directory"),
    ("3000, \"/proc/myapp.sock\"", "did not start"),
    ("3001, \"/proc/sys/myapp.sock\"", "did not start"),
];

fn installed(stage: &Stage) -> Result<String> {
    let directory = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    stage.host().read_file(FILE)
}

fn serves(stage: &Stage) -> Result<()> {
    let request = "require('http').get('http://127.0.0.1:3000/', r => process.exit(r.statusCode === 200 ? 0 : 1))\
                   .on('error', e => { console.error(e.message); process.exit(1) })";
    stage.host().run_ok(&["node", "-e", request]).map(drop)
}

fn a_change_of_addresses_leaves_no_app_down(stage: &Stage) -> Result<()> {
    let text = installed(stage)?;
    let holder = "require('net').createServer().listen(3999)";
    let _holder = stage.host().spawn(&["node", "-e", holder])?;
    until("another process has the port", LIMIT, || {
        let ss = stage.host().run(&["sh", "-c", "grep -q :0F9F /proc/net/tcp6"])?;
        Ok(ss.success().then_some(()))
    })?;
    for (listen, why) in IMPOSSIBLE {
        let other = text.replace("listen = 3000", &format!("listen = [{listen}]"));
        ensure!(other != text, "no listen in {text}");
        stage.host().write_file(FILE, &other)?;
        let output = stage.appctl(&["apply", "myapp"])?;
        ensure!(output.status == OLD_STATE_KEPT, "{listen}: {output:?}");
        ensure!(output.stderr.contains(why), "{listen}: {output:?}");
        serves(stage)?;
        let states = stage.activities(&["myapp.socket", "myapp@1.service", "myapp@2.service"])?;
        ensure!(states.iter().all(|state| state == "active"), "{listen}: {states:?}");
    }
    // An operator who leaves in the middle finds the old addresses, or the new ones.
    let other = text.replace("listen = 3000", "listen = [3000, 3998]");
    stage.host().write_file(FILE, &other)?;
    let apply = stage.host().spawn(&["appctl", "apply", "myapp"])?;
    until("the app is down", LIMIT, || {
        Ok((stage.activity("myapp.socket")? != "active").then_some(()))
    })?;
    stage
        .host()
        .run_ok(&["pkill", "--signal", "INT", "--exact", "appctl"])?;
    let output = apply.wait_with_output()?;
    ensure!(output.status.code() == Some(OLD_STATE_KEPT), "{output:?}");
    serves(stage)
}

/// Kills `appctl apply` of other addresses once it has begun to stop the app, and waits until that has ended.
fn killed_half_way(stage: &Stage, listen: &str) -> Result<()> {
    let text = stage.host().read_file(FILE)?;
    let other = text.lines().map(|line| match line.starts_with("listen = ") {
        true => format!("listen = {listen}\n"),
        false => format!("{line}\n"),
    });
    stage.host().write_file(FILE, &other.collect::<String>())?;
    stage.systemctl(&["kill", "--signal=STOP", "myapp@1.service"])?;
    let mut apply = stage.host().spawn(&["appctl", "apply", "myapp"])?;
    until("the app is being stopped", LIMIT, || {
        Ok((stage.activity("myapp@1.service")? == "deactivating").then_some(()))
    })?;
    stage
        .host()
        .run_ok(&["pkill", "--signal", "KILL", "--exact", "appctl"])?;
    apply.wait()?;
    stage.systemctl(&["kill", "--signal=CONT", "myapp@1.service"])?;
    until("the app is down", LIMIT, || {
        let states = stage.activities(&["myapp.service", "myapp.socket", "myapp@1.service"])?;
        Ok(states.iter().all(|state| state == "inactive").then_some(()))
    })
}

/// Whoever comes next learns that no operator wanted it, and what to type; that brings it up.
fn a_change_of_addresses_that_was_killed_is_told_and_finished(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let told = || {
        Ok::<_, anyhow::Error>(
            stage
                .appctl_ok(&["status", "myapp"])?
                .contains("left it down; to start it: sudo appctl apply myapp"),
        )
    };
    let ports = || stage.property("myapp.socket", "Listen");
    ensure!(!told()?);
    killed_half_way(stage, "[3000, 3998]")?;
    ensure!(told()?, "{}", stage.appctl_ok(&["status", "myapp"])?);
    stage.appctl_ok(&["apply", "myapp"])?;
    serves(stage)?;
    ensure!(ports()?.contains(":3998") && !told()?, "{}", ports()?);
    // The file is in force already, or it is another one by now.
    killed_half_way(stage, "[3000, 3997]")?;
    stage.host().run_ok(&["cp", FILE, "/etc/appctl/applied/myapp.toml"])?;
    let dry = stage.appctl_ok(&["apply", "myapp", "--dry-run"])?;
    ensure!(dry.contains("left it down: it is started"), "{dry}");
    stage.appctl_ok(&["apply", "myapp"])?;
    serves(stage)?;
    ensure!(ports()?.contains(":3997") && !told()?, "{}", ports()?);
    // One way or the other, the operator has decided.
    killed_half_way(stage, "[3000, 3998]")?;
    stage.appctl_ok(&["start", "myapp"])?;
    serves(stage)?;
    ensure!(ports()?.contains(":3997") && !told()?, "{}", ports()?);
    killed_half_way(stage, "[3000, 3998]")?;
    stage.appctl_ok(&["stop", "myapp"])?;
    ensure!(!told()?);
    stage.appctl_ok(&["apply", "myapp"])?;
    ensure!(
        stage.activity("myapp.service")? == "inactive",
        "started, and its operator had stopped it"
    );
    Ok(())
}

/// An administrator may restart any unit.
fn a_socket_that_is_restarted_listens_again(stage: &Stage) -> Result<()> {
    installed(stage)?;
    for _ in 0..3 {
        stage.systemctl(&["restart", "myapp.socket"])?;
        serves(stage)?;
    }
    stage.systemctl(&["stop", "myapp.socket"])?;
    until("all is down", LIMIT, || {
        let states = stage.activities(&["myapp.hold.service", "myapp@1.service", "myapp@2.service"])?;
        Ok(states.iter().all(|state| state == "inactive").then_some(()))
    })?;
    stage.systemctl(&["start", "myapp"])?;
    serves(stage)
}
