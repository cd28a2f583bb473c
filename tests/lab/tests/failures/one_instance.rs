//! One instance of it is broken, whichever: what was replaced before goes back where there is a way back.

use anyhow::{Context, Result, ensure};
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{APPLIED, CONFIG, PORT, RATE, WANTED, after_enough, becomes, fails_with, only_lost, set_up, whole};

on_each_debian!(
    without_a_way_back_the_surge_stands_in,
    one_bad_instance_takes_a_new_configuration_back,
);

/// New code in place cannot be taken back: what was replaced stays so, and the surge instance replaces the missing one.
fn without_a_way_back_the_surge_stands_in(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for bad in 1..=4 {
        let before = whole(stage)?;
        stage.host().write_file("/srv/myapp/bad", &bad.to_string())?;
        becomes(stage, "fussy")?;
        let load = stage.load(PORT, RATE);
        let output = stage.appctl(&["rolling-restart", "myapp"])?;
        println!("instance {bad}:\n{}{}", output.stdout, output.stderr);
        fails_with(&output, "this instance has no licence")?;
        ensure!(
            output.stderr.contains(&format!("instance {bad}")),
            "which one: {}",
            output.stderr
        );
        let members = stage.members("myapp")?;
        ensure!(
            members.get("surge").is_some_and(|surge| surge.state == "ready"),
            "no surge: {members:?}"
        );
        for number in (1..=4).filter(|number| *number != bad) {
            let (name, kept) = (number.to_string(), number > bad);
            let same = members[&name].pid == before.get(&name).copied();
            ensure!(
                members[&name].state == "ready" && same == kept,
                "{number} of {before:?} {members:?}"
            );
        }
        let status = stage.status("myapp")?;
        ensure!(
            status["notes"].to_string().contains("appctl abort myapp"),
            "unexplained: {status}"
        );
        becomes(stage, "good")?;
        stage.appctl_ok(&["rolling-restart", "myapp"])?;
        let report = after_enough(load)?;
        println!("{report}");
        only_lost(&report, false)?;
        all_replaced(&before, &whole(stage)?)?;
    }
    Ok(())
}

/// Another configuration can be taken back, and is, wherever it fails.
fn one_bad_instance_takes_a_new_configuration_back(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for bad in 1..=4 {
        let before = whole(stage)?;
        stage.host().write_file("/srv/myapp/bad", &bad.to_string())?;
        let config = CONFIG.replace("server.js", "fussy.js").replace("'old'", "'new'");
        stage.host().write_file(WANTED, &config)?;
        let load = stage.load(PORT, RATE);
        let output = stage.appctl(&["apply", "myapp"])?;
        let report = after_enough(load)?;
        println!("instance {bad}:\n{}{}{report}", output.stdout, output.stderr);
        fails_with(&output, "this instance has no licence")?;
        ensure!(output.stderr.contains("back as it was"), "{}", output.stderr);
        only_lost(&report, false)?;
        ensure!(
            report.releases.contains_key("new"),
            "the new one never served:\n{report}"
        );
        let after = whole(stage)?;
        for number in 1..=4 {
            let same = after[&number.to_string()] == before[&number.to_string()];
            ensure!(same == (number > bad), "instance {number}: {before:?}, then {after:?}");
            ensure!(
                release_of(stage, after[&number.to_string()])? == "RELEASE=old",
                "{number} is not back"
            );
        }
        ensure!(
            stage.host().read_file(APPLIED)? == CONFIG,
            "the applied file is not the old one"
        );
    }
    Ok(())
}

fn release_of(stage: &Stage, pid: u64) -> Result<String> {
    let environment = stage.host().read_file(&format!("/proc/{pid}/environ"))?;
    let release = environment
        .split('\0')
        .find(|variable| variable.starts_with("RELEASE="));
    release
        .map(str::to_owned)
        .with_context(|| format!("{pid} has no RELEASE"))
}
