//! What a commit names besides itself: its submodules.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Output, Stage, on_each_debian};

on_each_debian!(a_commit_names_no_repository_of_this_machine);

const COMMIT: &str = "git add -A && git -c user.name=a -c user.email=a@b commit -qm x";

fn sh(stage: &Stage, script: &str) -> Result<()> {
    stage.host().run_ok(&["sh", "-ec", script]).map(drop)
}

fn deploy(stage: &Stage, url: &str) -> Result<Output> {
    stage.appctl(&["stage", "web", "--force", "--git", url, "--ref", "main"])
}

/// Whatever the operator's own configuration allows: it is the operator's word for what the operator types.
fn a_commit_names_no_repository_of_this_machine(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file("/etc/appctl/apps/web.toml", "exec = \"node server.js\"\n")?;
    sh(
        stage,
        "git config --global protocol.file.allow always; git config --global protocol.git.allow always",
    )?;
    sh(
        stage,
        &format!("git init -qb main /srv/secret; cd /srv/secret; echo hash >hash; {COMMIT}"),
    )?;
    let app = "git init -qb main /srv/app; cd /srv/app; echo 1 >server.js; git submodule --quiet add URL lib";
    // It ends with the box.
    let _daemon = host.spawn(&["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"])?;
    eventually(Duration::from_secs(10), || {
        host.run_ok(&["git", "ls-remote", "--quiet", "git://127.0.0.1/srv/secret"])
            .map(drop)
    })?;
    for (own, url) in [
        ("git://127.0.0.1/srv/app", "file:///srv/secret"),
        ("/srv/app", "git://127.0.0.1/srv/secret"),
    ] {
        sh(
            stage,
            &format!("rm -rf /srv/app; {} && {COMMIT}", app.replace("URL", url)),
        )?;
        let output = deploy(stage, own)?;
        ensure!(
            output.status == 1 && output.stderr.contains("not allowed"),
            "{own} {url}: {output:?}"
        );
    }
    // What is of the same kind as what was typed may be named.
    sh(
        stage,
        &format!("rm -rf /srv/app; {} && {COMMIT}", app.replace("URL", "/srv/secret")),
    )?;
    let output = deploy(stage, "/srv/app")?;
    ensure!(output.success(), "{output:?}");
    let found = host.run_ok(&["sh", "-c", "cat /var/lib/appctl/web/releases/*/lib/hash"])?;
    ensure!(found == "hash\n", "{found}");
    Ok(())
}
