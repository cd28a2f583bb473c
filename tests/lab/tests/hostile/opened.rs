//! An app that needs what its sandbox forbids: `install` says what opens it, and what it says works as it stands.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Host, Output, Stage, on_each_debian};

on_each_debian!(advice_works_when_it_is_typed);

const ROLLOUT_FAILED: i32 = 4;
/// What each does first, by its own command, and the option that lets it.
const NEEDS: [(&str, &str); 4] = [
    ("unshare --user true", "--allow namespaces"),
    (
        "perl -e 'syscall(101, 0, 0, 0, 0) == 0 or die \"ptrace: $!\"'",
        "--allow debug",
    ),
    ("touch \"/usr/local/an open/file\"", "--write '/usr/local/an open'"),
    (
        "test \"$(setuid-id -u)\" = 0 || { echo 'the no new privileges flag is set'; false; }",
        "--allow privileges",
    ),
];

/// It repeats by itself what a command said: journald cannot tell the unit of a process that is gone when it looks.
fn app(needs: &str) -> String {
    format!("#!/bin/sh\nsaid=$({needs} 2>&1) || {{ echo \"$said\"; exit 1; }}\nexec sleep infinity\n")
}

fn advice_works_when_it_is_typed(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let text =
        "mkdir -m 0777 '/usr/local/an open'; install -m 4755 /usr/bin/id /usr/local/bin/setuid-id; mkdir /srv/app";
    host.run_ok(&["sh", "-c", text])?;
    for (nth, (needs, option)) in NEEDS.iter().enumerate() {
        let name = format!("app{nth}");
        host.write_file("/srv/app/start", &app(needs))?;
        host.run_ok(&["chmod", "+x", "/srv/app/start"])?;
        let typed = [
            "install",
            &name,
            "/srv/app",
            "--no-listen",
            "--user",
            "work",
            "--",
            "./start",
        ];
        let refused = stage.appctl(&typed)?;
        let command = advised(&refused)?;
        ensure!(command.starts_with(&format!("appctl install {option} ")), "{refused:?}");
        host.run_ok(&["sh", "-c", command])?;
        ensure!(stage.members(&name)?["1"].state == "ready", "{needs}");
        let shown = stage.appctl_ok(&["show", &name])?;
        ensure!(shown.contains("standard, and "), "{shown}");
    }
    Ok(())
}

fn advised(output: &Output) -> Result<&str> {
    ensure!(output.status == ROLLOUT_FAILED, "{output:?}");
    let (_, command) = output
        .stderr
        .split_once("type: ")
        .with_context(|| format!("{output:?}"))?;
    command.lines().next().context("a command")
}
