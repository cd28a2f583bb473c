//! Addresses that an app cannot have, and sockets that begin anew: whatever happens to them, the app is not left down.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::LIMIT;

on_each_debian!(
    a_change_of_addresses_leaves_no_app_down,
    a_socket_that_is_restarted_listens_again,
);

const FILE: &str = "/etc/appctl/apps/myapp.toml";
const OLD_STATE_KEPT: i32 = 4;
/// A port that another process has, and paths that cannot be: below a file, below /proc, where a directory is.
const IMPOSSIBLE: [(&str, &str); 4] = [
    ("3000, 3999", "port 3999 is in use by node"),
    ("3000, \"/etc/hostname/myapp.sock\"", "no directory"),
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
