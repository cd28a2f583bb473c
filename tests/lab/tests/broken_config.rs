//! Files that break, and a systemd that reads everything again at the worst moment.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Shape};
use appctl_lab::patience::until;
use appctl_lab::running::Running;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(a_broken_file_harms_nothing, systemd_may_be_reloaded_during_a_rollout,);

const RATE: Shape = Shape::OnePerConnection { rate: Some(300.0) };
const FILE: &str = "/etc/appctl/apps/myapp.toml";
const CONFIG: &str = "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = 2\nlisten = 3000\n";
const UNITS: [&str; 4] = ["myapp.socket", "myapp.service", "myapp@1.service", "myapp@2.service"];

fn set_up(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage.bring("port-env", "other")?;
    stage.host().write_file(FILE, CONFIG)?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

fn more(load: &Load) -> Result<()> {
    let answered = load.answered();
    until("more load", Duration::from_secs(20), || {
        Ok((load.answered() > answered + 300).then_some(()))
    })
}

/// How a file breaks.
const DAMAGES: [&str; 5] = [
    "echo 'exec = [' > \"$1\"",
    ": > \"$1\"",
    "echo 'instance = 2' >> \"$1\"",
    "ln -sf /etc/hostname \"$1\"",
    "rm \"$1\"",
];

/// The app runs on what was applied; `status` and the journal say what is wrong with the file.
fn a_broken_file_harms_nothing(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let before = stage.pids("myapp")?;
    for damage in DAMAGES {
        let load = stage.load(3000, RATE);
        stage.host().run_ok(&["rm", "-f", FILE])?;
        stage.host().write_file(FILE, CONFIG)?;
        stage.host().run_ok(&["sh", "-c", damage, "sh", FILE])?;
        let units = stage.host().run_ok(&[&["systemctl", "cat"], &UNITS[..]].concat())?;
        stage.host().run_ok(&["systemctl", "daemon-reload"])?;
        ensure!(
            units == stage.host().run_ok(&[&["systemctl", "cat"], &UNITS[..]].concat())?,
            "{damage}: other units"
        );
        stage
            .host()
            .run_ok(&[&["systemctl", "is-active"], &UNITS[..]].concat())?;
        more(&load)?;
        let report = load.stop();
        println!("{damage}\n{report}");
        ensure!(report.lost() == 0 && report.counts.ok > 0, "{damage}:\n{report}");
        ensure!(stage.pids("myapp")? == before, "{damage} restarted something");
        let notes = stage.status("myapp")?["notes"].to_string();
        ensure!(notes.contains("myapp: its file"), "{damage}: unexplained: {notes}");
    }
    another_app_is_not_affected(stage)
}

/// A good new file and a broken one in the same reload.
fn another_app_is_not_affected(stage: &Stage) -> Result<()> {
    stage.host().write_file(FILE, "exec = [")?;
    let other = CONFIG.replace("/srv/myapp", "/srv/other").replace("3000", "3001");
    stage.host().write_file("/etc/appctl/apps/other.toml", &other)?;
    stage.host().run_ok(&["systemctl", "daemon-reload"])?;
    let said = stage.host().run_ok(&["journalctl", "--no-pager", "--output=cat"])?;
    ensure!(said.contains("appctl-generator"), "no complaint in the journal");
    let complaint = stage
        .host()
        .run(&["/usr/lib/systemd/system-generators/appctl-generator", "--dry-run"])?;
    ensure!(
        complaint.stderr.contains("/etc/appctl/apps/myapp.toml:1:"),
        "no place: {}",
        complaint.stderr
    );
    stage.host().run_ok(&["systemctl", "start", "other.service"])?;
    let load = stage.load(3001, RATE);
    more(&load)?;
    let report = load.stop();
    ensure!(report.lost() == 0 && report.counts.ok > 0, "the other app:\n{report}");
    Ok(())
}

/// At every step, as packages do it while they are upgraded.
fn systemd_may_be_reloaded_during_a_rollout(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for verb in ["daemon-reload", "daemon-reexec"] {
        let before = stage.pids("myapp")?;
        let load = stage.load(3000, RATE);
        let mut running = Running::start(stage, &["rolling-restart", "myapp"])?;
        let mut steps = Vec::new();
        while let Some(step) = running.next_step()? {
            steps.push(step);
            stage.host().run_ok(&["systemctl", verb])?;
        }
        let ending = running.wait()?;
        more(&load)?;
        let report = load.stop();
        println!("{verb} at each of {steps:?}\n{report}");
        ensure!(ending.code == Some(0), "{verb}: {ending:?}");
        ensure!(report.lost() == 0 && report.counts.ok > 0, "{verb}:\n{report}");
        all_replaced(&before, &stage.pids("myapp")?)?;
        ensure!(steps.len() >= 5, "too few steps: {steps:?}");
    }
    Ok(())
}
