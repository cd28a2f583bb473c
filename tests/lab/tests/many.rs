//! Fifty apps with two instances each: every command stays quick. Prints what it measured.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(fifty_apps);

const APPS: u16 = 50;
const GENERATOR: &str = "/usr/lib/systemd/system-generators/appctl-generator";

fn fifty_apps(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["sh", "-c", &files()])?;
    let applied = Instant::now();
    stage.appctl_ok(&["apply"])?;
    println!("apply of {APPS} new apps: {:.1?}", applied.elapsed());
    eventually(Duration::from_secs(60), || all_up(stage))?;
    let generator = format!("d=/tmp/units$$ && mkdir $d && exec {GENERATOR} $d $d $d");
    let measured = [
        ("generator", fastest(host, &["sh", "-c", &generator])?, 1000),
        ("daemon-reload", fastest(host, &["systemctl", "daemon-reload"])?, 10_000),
        ("status", fastest(host, &["appctl", "status"])?, 1000),
        ("status of one", fastest(host, &["appctl", "status", "app-7"])?, 1000),
        ("status --json", fastest(host, &["appctl", "status", "--json"])?, 1000),
        ("apply, nothing to do", fastest(host, &["appctl", "apply"])?, 5000),
    ];
    for (what, took, bound) in measured {
        println!("{what}: {:.1} ms", took.as_secs_f64() * 1e3);
        // Far above what a quiet machine needs: a bound on what a busy one may add, not the target.
        ensure!(took < Duration::from_millis(bound), "{what} took {took:?}");
    }
    Ok(())
}

/// A shell script that writes the fifty files. The apps are small, so that the machine is not what is measured.
fn files() -> String {
    let mut script = "mkdir -p /etc/appctl/apps\n".to_owned();
    for number in 1..=APPS {
        let port = 4000 + number;
        _ = writeln!(
            script,
            "printf 'exec = \"sleep infinity\"\\ninstances = 2\\nlisten = {port}\\ndirectory = \"/srv\"\\n\
             [ready]\\nafter = \"10ms\"\\nsettle = \"10ms\"\\n' >/etc/appctl/apps/app-{number}.toml"
        );
    }
    script
}

fn all_up(stage: &Stage) -> Result<()> {
    let status: Value = serde_json::from_str(&stage.appctl_ok(&["status", "--json"])?)?;
    let apps = status["apps"].as_array().context("apps")?;
    let up = apps.iter().filter(|app| app["state"] == "up").count();
    ensure!(
        up == usize::from(APPS) && apps.len() == up,
        "{up} of {} are up",
        apps.len()
    );
    Ok(())
}

/// The fastest of ten runs, measured inside the box: entering it costs more than some of them.
fn fastest(host: &dyn Host, argv: &[&str]) -> Result<Duration> {
    let timer = "for i in 1 2 3 4 5 6 7 8 9 10; do a=$(date +%s%N); \"$@\" >/dev/null || exit 1; \
                 b=$(date +%s%N); echo $((b-a)); done";
    let text = host.run_ok(&[&["sh", "-c", timer, "timer"], argv].concat())?;
    let times = text.lines().filter_map(|line| line.parse().ok());
    times.min().map(Duration::from_nanos).context("no time was measured")
}
