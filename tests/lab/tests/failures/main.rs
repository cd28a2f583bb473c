//! What a release that does not come up does to an app that runs: nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Report, Shape};
use appctl_lab::patience::until;
use appctl_lab::{Host, Output, Stage, apps};

mod broken;
mod first_run;
mod killed;
mod late_port;
mod one_instance;

/// The fixture, what its last lines must show, and whether it serves for a while before it dies.
pub(crate) const BROKEN: [(&str, &str, bool); 4] = [
    ("exits", "cannot read config/database.json: no such file", false),
    ("never-listens", "connecting to the database", false),
    ("dies-after-1s", "lost the connection to the database", true),
    ("wrong-port", "4000", false),
];
pub(crate) const PORT: u16 = 3000;
pub(crate) const RATE: Shape = Shape::OnePerConnection { rate: Some(300.0) };
pub(crate) const WANTED: &str = "/etc/appctl/apps/myapp.toml";
pub(crate) const APPLIED: &str = "/etc/appctl/applied/myapp.toml";
pub(crate) const CONFIG: &str = "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = 4\nlisten = 3000\n\
                      env = { RELEASE = 'old' }\n[ready]\ntimeout = '6s'\n";
/// A release of which one instance, named in a file, does not come up.
const FUSSY: &str = "if (require('fs').readFileSync('bad', 'utf8').trim() === process.env.INSTANCE) {\n\
                     console.error('this instance has no licence');\nprocess.exit(5);\n}\nrequire('./good.js');\n";

/// In place, four instances of a good app.
pub(crate) fn set_up(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage
        .host()
        .run_ok(&["cp", "/srv/myapp/server.js", "/srv/myapp/good.js"])?;
    for (fixture, ..) in BROKEN {
        let file = apps::prepare(fixture)?.join("server.js");
        stage.host().copy_in(&file, &format!("/srv/myapp/{fixture}.js"))?;
    }
    stage.host().write_file("/srv/myapp/fussy.js", FUSSY)?;
    stage.host().write_file(WANTED, CONFIG)?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

pub(crate) fn becomes(stage: &Stage, file: &str) -> Result<()> {
    stage
        .host()
        .run_ok(&["cp", &format!("/srv/myapp/{file}.js"), "/srv/myapp/server.js"])
        .map(drop)
}

/// A rollout may fail within a third of a second: the load goes on until it has seen enough to count.
pub(crate) fn after_enough(load: Load) -> Result<Report> {
    until("more load", Duration::from_secs(20), || {
        Ok((load.answered() > 200).then_some(()))
    })?;
    Ok(load.stop())
}

/// A release that serves for a while and dies takes what it holds with it, and no more than that.
pub(crate) fn only_lost(report: &Report, serves: bool) -> Result<()> {
    let (lost, counts) = (report.lost(), &report.counts);
    let held = counts.reset + counts.eof + counts.truncated;
    let fine = if serves { lost == held && held <= 32 } else { lost == 0 };
    ensure!(fine && counts.ok > 100, "lost requests:\n{report}");
    Ok(())
}

pub(crate) fn fails_with(output: &Output, said: &str) -> Result<()> {
    ensure!(
        output.status == 4,
        "exit code {}:\n{}{}",
        output.status,
        output.stdout,
        output.stderr
    );
    let all = format!("{}{}", output.stdout, output.stderr);
    ensure!(all.contains(said), "{said:?} is not in:\n{all}");
    Ok(())
}

/// Four regular instances, no surge, all ready.
pub(crate) fn whole(stage: &Stage) -> Result<BTreeMap<String, u64>> {
    let members = stage.members("myapp")?;
    ensure!(
        members.keys().map(String::as_str).eq(["1", "2", "3", "4"]) && members.values().all(|one| one.state == "ready"),
        "not whole: {members:?}"
    );
    stage.pids("myapp")
}
