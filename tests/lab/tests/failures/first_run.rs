//! systemd starts an app that fails again at once, and only its first run may say why: that is what an operator is shown.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Output, Stage, on_each_debian};

on_each_debian!(what_only_the_first_run_says_is_shown);

const ROLLOUT_FAILED: i32 = 4;
const WHY: &str = "no licence for this machine";
/// Broken while a file is there; of several runs the first one says why.
const START: &str = "\
#!/bin/sh
test -e /srv/app/broken || exec sleep infinity
mkdir \"$STATE_DIRECTORY/told\" 2>/dev/null && echo 'no licence for this machine'
exit 1
";

fn what_only_the_first_run_says_is_shown(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["mkdir", "/srv/app"])?;
    host.write_file("/srv/app/start", START)?;
    host.run_ok(&["chmod", "+x", "/srv/app/start"])?;
    let install = ["install", "web", "/srv/app", "--no-listen", "--", "./start"];

    host.write_file("/srv/app/broken", "")?;
    shows_why(&stage.appctl(&install)?)?;
    host.run_ok(&["rm", "/srv/app/broken"])?;
    stage.appctl_ok(&install)?;

    host.write_file("/srv/app/broken", "")?;
    shows_why(&stage.appctl(&["restart", "web"])?)
}

fn shows_why(output: &Output) -> Result<()> {
    ensure!(output.status == ROLLOUT_FAILED, "{output:?}");
    ensure!(output.stderr.contains(WHY), "{output:?}");
    Ok(())
}
