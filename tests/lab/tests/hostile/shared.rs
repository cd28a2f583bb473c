//! What several commands share: the lock of an app, which no change of its configuration goes round.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use super::LIMIT;

on_each_debian!(no_change_of_configuration_goes_round_the_lock,);

const BUSY: i32 = 7;

/// Another command has it: not even a comment is put in force.
fn no_change_of_configuration_goes_round_the_lock(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "web")?;
    stage.appctl_ok(&["install", "web", &directory, "--user", "work"])?;
    let (wanted, applied) = ("/etc/appctl/apps/web.toml", "/etc/appctl/applied/web.toml");
    let text = host.read_file(wanted)?;
    let mut holder = host.spawn(&["flock", "/run/appctl/web/lock", "sleep", "1000"])?;
    until("the lock is held", LIMIT, || {
        let free = host.run(&["flock", "--nonblock", "/run/appctl/web/lock", "true"])?;
        Ok((!free.success()).then_some(()))
    })?;
    for change in [
        "# a comment\n",
        "restart = { delay = \"2s\" }\n",
        "stop = { timeout = \"9s\" }\n",
    ] {
        host.write_file(wanted, &format!("{change}{text}"))?;
        let output = stage.appctl(&["apply", "web"])?;
        ensure!(output.status == BUSY, "{change:?}: {output:?}");
        ensure!(host.read_file(applied)? == text, "{change:?} was put in force");
    }
    host.run_ok(&["pkill", "-x", "sleep"])?;
    holder.wait()?;
    stage.appctl_ok(&["apply", "web"])?;
    ensure!(host.read_file(applied)? != text, "nothing was put in force");
    Ok(())
}
