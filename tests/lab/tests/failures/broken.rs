//! Every instance of it is broken: the first one finds out, and what serves is left alone.

use anyhow::{Result, ensure};
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{APPLIED, BROKEN, CONFIG, PORT, RATE, WANTED, after_enough, becomes, fails_with, only_lost, set_up, whole};

on_each_debian!(
    a_broken_release_replaces_nothing,
    a_broken_configuration_is_taken_back,
    a_broken_app_is_not_installed,
);

/// The code changes in place; whatever is wrong with it, the surge instance finds out.
fn a_broken_release_replaces_nothing(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let before = whole(stage)?;
    for (fixture, said, serves) in BROKEN {
        let load = stage.load(PORT, RATE);
        becomes(stage, fixture)?;
        let output = stage.appctl(&["rolling-restart", "myapp"])?;
        let report = after_enough(load)?;
        println!("{fixture}:\n{}{}{report}", output.stdout, output.stderr);
        fails_with(&output, said)?;
        ensure!(
            output.stderr.contains("the surge instance"),
            "which instance: {}",
            output.stderr
        );
        only_lost(&report, serves)?;
        ensure!(whole(stage)? == before, "{fixture} replaced something");
        ensure!(stage.status("myapp")?["state"] == "up", "{}", stage.status("myapp")?);
    }
    becomes(stage, "good")?;
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    all_replaced(&before, &whole(stage)?)
}

/// The same by another `exec` and `env`: also the applied configuration is the old one again.
fn a_broken_configuration_is_taken_back(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let before = whole(stage)?;
    for (fixture, said, serves) in BROKEN {
        let load = stage.load(PORT, RATE);
        let config = CONFIG
            .replace("server.js", &format!("{fixture}.js"))
            .replace("'old'", "'new'");
        stage.host().write_file(WANTED, &config)?;
        let output = stage.appctl(&["apply", "myapp"])?;
        let report = after_enough(load)?;
        println!("{fixture}:\n{}{}{report}", output.stdout, output.stderr);
        fails_with(&output, said)?;
        only_lost(&report, serves)?;
        ensure!(whole(stage)? == before, "{fixture} replaced something");
        ensure!(
            stage.host().read_file(APPLIED)? == CONFIG,
            "the applied file is not the old one"
        );
        let units = stage.host().run_ok(&["systemctl", "cat", "myapp@1.service"])?;
        ensure!(!units.contains(fixture), "systemd has the new units:\n{units}");
        let status = stage.status("myapp")?;
        ensure!(
            status["notes"].to_string().contains("appctl apply myapp"),
            "unexplained: {status}"
        );
    }
    Ok(())
}

/// Its last lines are told, and it leaves nothing but its account.
fn a_broken_app_is_not_installed(stage: &Stage) -> Result<()> {
    let without_account = |footprint: String| -> Vec<String> {
        let lines = footprint.lines().filter(|line| !line.starts_with("work:"));
        lines.map(str::to_owned).collect()
    };
    // Another app, so that what is there for all apps is there already.
    let other = stage.bring("port-env", "other")?;
    stage.appctl_ok(&["install", "other", &other, "--listen", "3001"])?;
    let before = without_account(stage.footprint()?);
    for (fixture, said, _) in BROKEN.iter().filter(|(fixture, ..)| *fixture != "never-listens") {
        let app = stage.bring(fixture, fixture)?;
        let output = stage.appctl(&["install", "myapp", &app, "--instances", "2", "--user", "work"])?;
        println!("{fixture}:\n{}{}", output.stdout, output.stderr);
        fails_with(&output, said)?;
        if *fixture == "wrong-port" {
            ensure!(output.stderr.contains("port 4000"), "which port: {}", output.stderr);
            ensure!(
                output
                    .stderr
                    .contains("appctl install myapp /srv/wrong-port --listen 4000"),
                "{}",
                output.stderr
            );
        }
        let after = without_account(stage.footprint()?);
        let change: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
        ensure!(
            change.is_empty() && gone.is_empty(),
            "{fixture} left {change:#?}, took {gone:#?}"
        );
        ensure!(stage.appctl(&["status", "myapp"])?.status == 5, "still known");
    }
    Ok(())
}
