//! Every mistake is answered with what is wrong, what to do about it and the exit code of its kind, and changes
//! nothing: not a file, not a unit, not an account.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

mod callers;
mod case;
mod files;
mod install;

on_each_debian!(mistakes_change_nothing, a_privileged_port_is_bound_by_systemd);

fn mistakes_change_nothing(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    let (pids, before) = (stage.pids("taken")?, stage.footprint()?);
    let tables = [
        install::directories(),
        install::programs(),
        install::names(),
        install::taken_names(),
        install::addresses(),
        install::instances_and_users(),
        files::texts(),
        files::shared_addresses(),
        files::paths(),
        callers::not_root(),
        callers::not_systemd(),
        callers::unknown_apps(),
        callers::usage(),
    ];
    let mut wrong = Vec::new();
    let cases = tables.into_iter().flatten();
    for case in cases {
        wrong.extend(case.verdict(stage, &before)?);
    }
    ensure!(
        wrong.is_empty(),
        "{} answers are wrong:\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    ensure!(stage.pids("taken")? == pids, "the installed app was restarted");
    Ok(())
}

/// An installed app on 3100, a foreign process on 3999, and the directories that the mistakes name.
fn prepare(stage: &Stage) -> Result<()> {
    let app = stage.bring("port-env", "app")?;
    stage.appctl_ok(&["install", "taken", &app, "--listen", "3100", "--user", "reader"])?;
    let script = "mkdir /srv/empty && install -d -m 0700 /srv/private && cp -r /srv/app /srv/private/app";
    stage.host().run_ok(&["sh", "-c", script])?;
    let listen = "require('net').createServer().listen(3999)";
    stage
        .host()
        .run_ok(&["systemd-run", "--unit=foreign", "node", "-e", listen])?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !stage
        .host()
        .run(&["sh", "-c", "grep -qi ':0F9F ' /proc/net/tcp6"])?
        .success()
    {
        ensure!(Instant::now() < deadline, "the foreign process does not listen");
    }
    Ok(())
}

fn a_privileged_port_is_bound_by_systemd(stage: &Stage) -> Result<()> {
    let app = stage.bring("port-env", "app")?;
    let text = stage.appctl_ok(&["install", "low", &app, "--listen", "80", "--user", "work"])?;
    ensure!(
        text.contains("systemd binds port 80") && text.contains("needs no privilege"),
        "{text}"
    );
    let ask = "require('http').get({port: 80, headers: {'x-request-id': 'seen'}}, (r) => r.pipe(process.stdout))";
    ensure!(stage.host().run_ok(&["node", "-e", ask])?.trim_end() == "seen");
    let pid = stage.pids("low")?["1"].to_string();
    let user = stage.host().run_ok(&["ps", "-o", "user=", "-p", &pid])?;
    ensure!(user.trim_end() == "work", "runs as {user}");
    Ok(())
}
