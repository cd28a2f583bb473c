//! Who may connect to an app that listens on a path.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(not_every_account_connects);

const SOCKET: &str = "/run/web.sock";
const INVALID: i32 = 3;

fn connects(stage: &Stage, user: &str) -> Result<bool> {
    let curl = [
        "curl",
        "--silent",
        "--fail",
        "--max-time",
        "5",
        "--unix-socket",
        SOCKET,
        "http://app/",
    ];
    let output = stage
        .host()
        .run(&[&["runuser", "-u", user, "--"], &curl[..]].concat())?;
    Ok(output.success())
}

fn access(stage: &Stage) -> Result<String> {
    let text = stage.host().run_ok(&["stat", "--format=%U:%G %a", SOCKET])?;
    Ok(text.trim_end().to_owned())
}

/// The app's own account by default; a proxy's group when the file says so; a group that is not there changes nothing.
fn not_every_account_connects(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "web")?;
    let listens = format!("s#listen(3000#listen('{SOCKET}'#");
    host.run_ok(&["sed", "-i", &listens, &format!("{directory}/server.js")])?;
    stage.appctl_ok(&["install", "web", &directory, "--user", "work", "--listen", SOCKET])?;
    ensure!(access(stage)? == "work:work 660", "{}", access(stage)?);
    ensure!(connects(stage, "work")? && !connects(stage, "www-data")? && !connects(stage, "nobody")?);
    let file = "/etc/appctl/apps/web.toml";
    let text = host.read_file(file)?;
    host.write_file(file, &format!("socket_group = \"no-such-group\"\n{text}"))?;
    let output = stage.appctl(&["apply", "web"])?;
    ensure!(
        output.status == INVALID && output.stderr.contains("no-such-group"),
        "{output:?}"
    );
    ensure!(connects(stage, "work")?, "it no longer serves");
    host.write_file(file, &format!("socket_group = \"www-data\"\n{text}"))?;
    stage.appctl_ok(&["apply", "web"])?;
    ensure!(access(stage)? == "work:www-data 660", "{}", access(stage)?);
    ensure!(connects(stage, "work")? && connects(stage, "www-data")? && !connects(stage, "nobody")?);
    host.write_file(file, &format!("socket_mode = \"0666\"\n{text}"))?;
    stage.appctl_ok(&["apply", "web"])?;
    ensure!(connects(stage, "nobody")?);
    Ok(())
}
