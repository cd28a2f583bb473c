//! As whom archives are unpacked and commits fetched.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Stage};
use serde_json::Value;

use super::{STATE, configure, is_sealed, nothing_is_left, release, stage_json};

/// Standard input is held open, so that the unpacker can be looked at.
pub(crate) fn archives_and_commits_never_pass_through_root(stage: &Stage) -> Result<()> {
    let host = stage.host();
    configure(stage, "", "")?;
    let script = "(sleep 1000) | appctl stage web -";
    let mut child = host.spawn(&["bash", "-c", script])?;
    eventually(Duration::from_secs(20), || {
        let pid = host.run_ok(&["pgrep", "-f", "^/proc/self/exe unpack"])?;
        let user = host.run_ok(&["ps", "-o", "user:32=", "-p", pid.trim_end()])?;
        ensure!(user.trim_end() == "appctl-web", "{user}");
        Ok(())
    })?;
    host.run_ok(&["pkill", "-x", "sleep"])?;
    child.wait()?;
    nothing_is_left(stage)?;
    a_commit_of_someone_elses(stage)
}

/// Behind sudo it is the person who fetches, and whose the clone is; the release is root's.
fn a_commit_of_someone_elses(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--create-home", "ann"])?;
    host.write_file("/home/ann/app/server.js", "1")?;
    host.run_ok(&["chown", "-R", "ann:", "/home/ann/app"])?;
    for line in [
        "git init -q -b main",
        "git add -A",
        "git -c user.name=a -c user.email=a@b commit -q -m one",
    ] {
        let git: Vec<&str> = ["runuser", "-u", "ann", "--", "env", "-C", "/home/ann/app"]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        host.run_ok(&git)?;
    }
    let uid = host.run_ok(&["id", "--user", "ann"])?;
    let sudo = format!("SUDO_UID={}", uid.trim_end());
    let stage_git = [
        "appctl",
        "stage",
        "web",
        "--git",
        "/home/ann/app",
        "--ref",
        "main",
        "--json",
    ];
    let text = host.run_ok(&[&["env", &sudo][..], &stage_git].concat())?;
    let staged: Value = serde_json::from_str(text.lines().last().context("a line")?)?;
    is_sealed(host, &release(&staged)?)?;
    let foreign = host.run_ok(&["find", &format!("{STATE}/git"), "-mindepth", "1", "!", "-user", "ann"])?;
    ensure!(foreign.is_empty(), "not ann's: {foreign}");
    // Root itself: git runs as the repository's owner and reads their configuration as them.
    let again = stage_json(stage, &["--git", "/home/ann/app", "--ref", "main"])?;
    ensure!(again["existing"] == true, "{again}");
    Ok(())
}
