//! An administrator who knows only systemctl(1) gets what it says, and loses no request either.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::stage::{all_replaced, eventually};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    reload_replaces_one_after_the_other,
    restart_loses_nothing,
    stop_closes_the_port_and_start_opens_it
);

fn installed(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", "/srv/myapp", "--instances", "4", "--user", "work"])?;
    Ok(())
}

fn reload_replaces_one_after_the_other(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let before = stage.pids("myapp")?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    stage.host().run_ok(&["systemctl", "reload", "myapp"])?;
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    all_replaced(&before, &stage.pids("myapp")?)?;
    let surge = stage.host().run(&["systemctl", "is-active", "myapp@surge"])?.stdout;
    ensure!(surge.trim_end() == "inactive", "the surge instance is {surge}");
    // Old, new and the surge instance.
    ensure!(report.pids.len() > 5, "not one after the other:\n{report}");
    Ok(())
}

/// All instances go at once; requests wait in the socket.
fn restart_loses_nothing(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let before = stage.pids("myapp")?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    for _ in 0..2 {
        stage.host().run_ok(&["systemctl", "restart", "myapp"])?;
        eventually(Duration::from_secs(20), || {
            ensure!(stage.status("myapp")?["state"] == "up");
            Ok(())
        })?;
    }
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    all_replaced(&before, &stage.pids("myapp")?)
}

fn stop_closes_the_port_and_start_opens_it(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let host = stage.host();
    let listening = || {
        host.run_ok(&["ss", "-Hltn", "sport = :3000"])
            .map(|text| !text.is_empty())
    };
    ensure!(listening()?, "the port is closed");
    host.run_ok(&["systemctl", "stop", "myapp"])?;
    eventually(Duration::from_secs(20), || {
        ensure!(!listening()?, "the port stays open");
        ensure!(stage.status("myapp")?["state"] == "stopped");
        Ok(())
    })?;
    host.run_ok(&["systemctl", "start", "myapp"])?;
    eventually(Duration::from_secs(20), || {
        ensure!(stage.status("myapp")?["state"] == "up");
        Ok(())
    })?;
    ensure!(listening()?, "the port is closed");
    Ok(())
}
