//! What root makes in a directory that an app may rearrange meanwhile; and the lock that no change goes round.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use super::LIMIT;

on_each_debian!(
    what_an_app_swaps_is_not_given_away,
    no_change_of_configuration_goes_round_the_lock,
);

const SHARED: &str = "/var/lib/appctl/web/shared";
const BUSY: i32 = 7;
/// As many chances to swap.
const NAMES: usize = 100;
/// Swaps each directory that root makes for one that root keeps closed, renameat2(2) with RENAME_EXCHANGE.
const SWAP: &str = "\
chdir '/var/lib/appctl/web/shared' or die;
open my $ready, '>', 'ready';
while (1) {
  for my $n (1..100) {
    for my $name (\"d$n\", \".d$n.appctl\") {
      syscall(316, -100, \"$name\", -100, \"secret\", 2) == 0 and syscall(316, -100, \"$name\", -100, \"secret\", 2);
    }
  }
}
";

/// A directory of the operator's among those of the app stays the operator's.
fn what_an_app_swaps_is_not_given_away(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    host.write_file("/srv/app/server.js", "")?;
    host.write_file("/srv/swap.pl", SWAP)?;
    host.run_ok(&["install", "--directory", "--owner=work", SHARED])?;
    host.run_ok(&["install", "--directory", "--mode=0700", &format!("{SHARED}/secret")])?;
    host.write_file(&format!("{SHARED}/secret/key"), "key")?;
    let names: Vec<String> = (1..=NAMES).map(|n| format!("\"d{n}/\"")).collect();
    let text = format!(
        "exec = \"node server.js\"\nuser = \"work\"\n[deploy]\nshared = [{}]\n",
        names.join(", ")
    );
    host.write_file("/etc/appctl/apps/web.toml", &text)?;
    let mut swapper = host.spawn(&["runuser", "-u", "work", "--", "perl", "/srv/swap.pl"])?;
    until("it swaps", LIMIT, || {
        Ok(host
            .run(&["test", "-e", &format!("{SHARED}/ready")])?
            .success()
            .then_some(()))
    })?;
    for _ in 0..5 {
        // It may be refused: what matters is what is given away.
        stage.appctl(&["stage", "web", "/srv/app", "--force"])?;
        let empty = "rmdir d* .d*.appctl; true";
        host.run(&["runuser", "-u", "work", "--", "env", "-C", SHARED, "bash", "-c", empty])?;
    }
    host.run(&["pkill", "-KILL", "-u", "work"])?;
    swapper.wait()?;
    let owner = host.run_ok(&["find", SHARED, "-name", "key", "-printf", "%h %u\\n"])?;
    let folder = owner.split(' ').next().unwrap_or_default();
    let owner = host.run_ok(&["stat", "--format=%U %a", folder])?;
    ensure!(owner.trim_end() == "root 700", "the operator's directory is {owner}");
    stage.appctl_ok(&["stage", "web", "/srv/app", "--force"]).map(drop)
}

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
