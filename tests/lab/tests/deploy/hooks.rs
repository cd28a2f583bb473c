//! The operator's own commands around a rollout: what they are told, and what it means when they fail.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

use crate::scene::{RATE, deploy, ends_with, install, live, lossless, more, releases, source_is, whole};

on_each_debian!(a_load_balancer_is_told_of_every_step);

const TOOL: &str = "/usr/local/sbin/balancer";
const LOG: &str = "/run/balancer.log";
/// Refuses to give up one instance that is named in a file.
const SCRIPT: &str = "#!/bin/sh\n\
    if [ \"$1\" = out ] && [ \"$APPCTL_INSTANCE\" = \"$(cat /run/balancer.refuses)\" ] && \
    [ $APPCTL_DIRECTION = forward ]; then echo the pool would be empty; exit 1; fi\n\
    echo $1 $APPCTL_APP $APPCTL_VERB $APPCTL_INSTANCE $APPCTL_STEP $APPCTL_DIRECTION $APPCTL_OUTCOME >> /run/balancer.log\n";

fn a_load_balancer_is_told_of_every_step(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file(TOOL, SCRIPT)?;
    host.run_ok(&["chmod", "755", TOOL])?;
    host.write_file("/run/balancer.refuses", "none")?;
    let hooks = format!(
        "bake = '200ms'\nbefore = ['{TOOL}', 'begin']\nafter = ['{TOOL}', 'end']\n\
         before_instance = ['{TOOL}', 'out']\nafter_instance = ['{TOOL}', 'in']"
    );
    install(host, 2, &hooks)?;
    host.run_ok(&["rm", LOG])?;
    let load = stage.load(3000, RATE);
    source_is(host, "r1")?;
    ends_with(&deploy(stage, &[])?, 0, "is live")?;
    let told = host.read_file(LOG)?;
    let expected = "begin myapp deploy\nout myapp 1 restart forward\nin myapp 1 restart forward\n\
                    out myapp 2 restart forward\nin myapp 2 restart forward\nend myapp deploy done\n";
    ensure!(told == expected, "{told}");
    refused(stage)?;
    more(&load, 200)?;
    lossless(&load.stop())?;
    host.run_ok(&["chmod", "777", TOOL])?;
    source_is(host, "r3")?;
    ends_with(&deploy(stage, &[])?, 4, "would run as root")
}

/// An instance that may not go is left alone, the others go back, and the release is not to blame.
fn refused(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/run/balancer.refuses", "2")?;
    let (before, pids) = (live(host)?, stage.pids("myapp")?);
    source_is(host, "r2")?;
    ends_with(&deploy(stage, &[])?, 4, "the pool would be empty")?;
    ensure!(
        live(host)? == before && releases(host)?[0].1 == "kept",
        "{:?}",
        releases(host)?
    );
    whole(stage, 2)?;
    let after = stage.pids("myapp")?;
    ensure!(
        after["2"] == pids["2"] && after["1"] != pids["1"],
        "{pids:?}, then {after:?}"
    );
    Ok(())
}
