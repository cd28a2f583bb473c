//! `systemctl reload` is a rolling restart.

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(reload_replaces_one_after_the_other);

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
