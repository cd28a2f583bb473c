//! The package's own life: installed, upgraded under load, refused to go, removed, purged, installed again.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Report, Shape};
use appctl_lab::{Host, Stage, built_deb, on_each_debian};

on_each_debian!(
    an_upgrade_touches_no_app,
    it_does_not_go_while_apps_are_installed,
    systemd_accepts_every_unit,
    it_ships_what_it_needs,
);

const PACKAGE: &str = "/srv/appctl.deb";

/// Every table and key that ends in a unit.
const RICH: &str = r#"
exec = ["node", "server.js", "a b", "%n $HOME \"quoted\" 'x'", "é"]
instances = 3
user = "work"
listen = [3000, "127.0.0.1:8080", "[::1]:8080", "/run/rich.sock"]
backlog = 1024
directory = "/srv/rich"
env = { NODE_ENV = "production", ODD = "%h $PATH \\ \" ' ; #" }
env_file = ["/srv/rich.env", "-/srv/none.env"]
sandbox = "strict"
[ready]
when = "http"
path = "/health?full=1"
status = 204
timeout = "90s"
settle = "2s"
[stop]
signal = "SIGINT"
timeout = "1min 30s"
linger = "500ms"
[restart]
delay = "200ms"
max_delay = "1min"
reset_after = "20s"
[limits]
memory = "512M"
memory_high = "400M"
cpu = "150%"
tasks = 512
open_files = 65536
"#;

fn an_upgrade_touches_no_app(stage: &Stage) -> Result<()> {
    serve(stage)?;
    let before = stage.members("myapp")?;
    stage.host().copy_in(&built_deb()?, PACKAGE)?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    wait_for_answers(&load, 100)?;
    stage
        .host()
        .run_ok(&["apt-get", "install", "--reinstall", "--yes", PACKAGE])?;
    // And once more on top, as a second upgrade would.
    stage.host().run_ok(&["dpkg", "--install", PACKAGE])?;
    wait_for_answers(&load, load.answered() + 100)?;
    nothing_lost(&load.stop())?;
    let after = stage.members("myapp")?;
    ensure!(
        before == after,
        "an upgrade changed instances: {before:?}, then {after:?}"
    );
    // What was upgraded works: the next rollout loses nothing either.
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    nothing_lost(&load.stop())
}

fn it_does_not_go_while_apps_are_installed(stage: &Stage) -> Result<()> {
    serve(stage)?;
    let before = (stage.members("myapp")?, units(stage)?);
    for verb in ["remove", "purge"] {
        let load = stage.load(3000, Shape::OnePerConnection { rate: Some(200.0) });
        let refused = stage.host().run(&["apt-get", verb, "--yes", "appctl"])?;
        let text = format!("{}{}", refused.stdout, refused.stderr);
        ensure!(!refused.success(), "{verb} went through:\n{text}");
        ensure!(
            text.contains("appctl uninstall myapp"),
            "{verb} does not say what to do:\n{text}"
        );
        nothing_lost(&load.stop())?;
        ensure!(
            before == (stage.members("myapp")?, units(stage)?),
            "{verb} changed something"
        );
    }
    stage.appctl_ok(&["uninstall", "myapp"])?;
    removes_and_purges(stage)?;
    comes_back(stage)
}

fn removes_and_purges(stage: &Stage) -> Result<()> {
    let there = |path: &str| stage.host().run(&["test", "-e", path]).map(|output| output.success());
    stage.host().run_ok(&["apt-get", "remove", "--yes", "appctl"])?;
    ensure!(!there("/usr/lib/systemd/system-generators/appctl-generator")? && !there("/usr/lib/appctl")?);
    ensure!(
        there("/var/lib/appctl/myapp/releases")?,
        "remove took the data, which only purge may"
    );
    stage.host().run_ok(&["apt-get", "purge", "--yes", "appctl"])?;
    for path in ["/etc/appctl", "/var/lib/appctl", "/run/appctl"] {
        ensure!(!there(path)?, "{path} stays after the purge");
    }
    let failed = stage
        .host()
        .run_ok(&["systemctl", "list-units", "--failed", "--plain", "--no-legend"])?;
    ensure!(failed.is_empty(), "failed units:\n{failed}");
    Ok(())
}

fn comes_back(stage: &Stage) -> Result<()> {
    stage.host().install_deb(&built_deb()?)?;
    stage.appctl_ok(&["install", "myapp", "/srv/myapp", "--instances", "2", "--user", "work"])?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    wait_for_answers(&load, 100)?;
    nothing_lost(&load.stop())
}

fn systemd_accepts_every_unit(stage: &Stage) -> Result<()> {
    stage.host().write_file("/etc/appctl/apps/rich.toml", RICH)?;
    let dynamic = RICH.replace("user = \"work\"\n", "").replace("[3000, ", "[3001, ");
    let dynamic = dynamic.replace(":8080", ":8081").replace("rich.sock", "my-app.sock");
    stage.host().write_file("/etc/appctl/apps/my-app.toml", &dynamic)?;
    stage
        .host()
        .write_file("/etc/appctl/apps/plain.toml", "exec = \"/usr/bin/true\"\n")?;
    stage.host().run_ok(&[
        "appctl",
        "check",
        "/etc/appctl/apps/rich.toml",
        "/etc/appctl/apps/my-app.toml",
    ])?;
    stage.host().run_ok(&["systemctl", "daemon-reload"])?;
    let script = "cd /run/systemd/generator && for unit in *.service *.socket *.slice; do \
                  case $unit in *@.service) set -- \"$@\" \"${unit%.service}1.service\" \"${unit%.service}surge.service\";; \
                  *) set -- \"$@\" \"$unit\";; esac; done; echo \"$@\"; exec systemd-analyze verify --man=no \"$@\" 2>&1";
    let output = stage.host().run(&["sh", "-c", script])?;
    let (units, complaints) = output.stdout.split_once('\n').unwrap_or_default();
    for unit in [
        "rich.socket",
        "rich@1.service",
        "my-app@surge.service",
        "appctl-my\\x2dapp.slice",
        "plain.service",
    ] {
        ensure!(units.contains(unit), "{unit} was not generated: {units}");
    }
    ensure!(
        output.success() && complaints.is_empty(),
        "systemd complains:\n{complaints}"
    );
    Ok(())
}

fn it_ships_what_it_needs(stage: &Stage) -> Result<()> {
    let files = stage.host().run_ok(&["dpkg", "--listfiles", "appctl"])?;
    ensure!(files.contains("/usr/share/man/man1/appctl.1.gz"), "{files}");
    // Nothing that was shipped is missing or changed.
    ensure!(stage.host().run_ok(&["dpkg", "--verify", "appctl"])?.is_empty());
    let needs = stage
        .host()
        .run_ok(&["dpkg-query", "--show", "--showformat=${Depends}", "appctl"])?;
    ensure!(needs.contains("default-dbus-system-bus | dbus-system-bus"), "{needs}");
    let version = stage.appctl_ok(&["--version"])?;
    ensure!(version.starts_with("appctl "), "{version}");
    Ok(())
}

fn serve(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    stage
        .appctl_ok(&["install", "myapp", &app, "--instances", "2", "--user", "work"])
        .map(drop)
}

fn units(stage: &Stage) -> Result<String> {
    let list = [
        "systemctl",
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "myapp*",
        "appctl*",
    ];
    stage.host().run_ok(&list)
}

fn wait_for_answers(load: &Load, wanted: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while load.answered() < wanted {
        ensure!(Instant::now() < deadline, "{} answers of {wanted}", load.answered());
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn nothing_lost(report: &Report) -> Result<()> {
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    Ok(())
}
