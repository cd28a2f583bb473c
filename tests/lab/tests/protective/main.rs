//! Lines of the generated units that look superfluous, each with what goes wrong without it.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Plan, Report, Shape, Target};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage};

mod exit;
mod limits;
mod queue;
mod stop;

pub(crate) const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const EACH: Shape = Shape::OnePerConnection { rate: None };

/// Two instances of an app that says when they are ready and is believed at once.
pub(crate) fn install(stage: &Stage, app: &str) -> Result<()> {
    let directory = stage.bring(app, "myapp")?;
    // Half a second is slow enough: what counts is that connections come while an instance starts.
    let server = format!("{directory}/server.js");
    stage.host().run_ok(&["sed", "-i", "s/\\b1000\\b/250/g", &server])?;
    stage.appctl_ok(&["install", "myapp", &directory, "--instances", "2", "--user", "work"])?;
    let file = "/etc/appctl/apps/myapp.toml";
    let text = stage.host().read_file(file)?;
    stage
        .host()
        .write_file(file, &format!("{text}\n[ready]\nsettle = \"0s\"\n"))?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

pub(crate) fn both_up(stage: &Stage) -> Result<()> {
    until("both instances are up", LIMIT, || {
        let states = stage.activities(&["myapp@1.service", "myapp@2.service"])?;
        Ok(states.iter().all(|state| state == "active").then_some(()))
    })
}

pub(crate) fn load(shape: Shape) -> Load {
    let target = Target::Tcp(([127, 0, 0, 1], 3000).into());
    Load::start(Plan::new(target, shape).timeout(Duration::from_secs(5)))
}

pub(crate) fn intact(report: &Report) -> Result<()> {
    ensure!(report.counts.ok > 50 && report.lost() == 0, "{report}");
    Ok(())
}

pub(crate) fn damaged(report: &Report) -> Result<()> {
    ensure!(report.lost() > 0, "the line makes no difference:\n{report}");
    Ok(())
}
