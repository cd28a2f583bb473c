//! Changes of what is wanted: in force without a lost request, and nothing is touched that need not be.

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    scale_leaves_the_others_alone,
    apply_without_a_change_touches_nothing,
    apply_rolls_a_changed_variable,
    a_dry_run_changes_nothing,
    a_restart_watches_what_changed,
    uninstall_leaves_the_releases_and_purge_nothing,
);

const FILE: &str = "/etc/appctl/apps/web.toml";

fn installed(stage: &Stage) -> Result<()> {
    stage.bring("plain", "web")?;
    stage.appctl_ok(&["install", "web", "/srv/web", "--instances", "2"])?;
    Ok(())
}

fn scale_leaves_the_others_alone(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let before = stage.pids("web")?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    stage.appctl_ok(&["scale", "web", "4"])?;
    let four = stage.pids("web")?;
    stage.appctl_ok(&["scale", "web", "-1"])?;
    let three = stage.pids("web")?;
    stage.appctl_ok(&["scale", "web", "2"])?;
    let report = load.stop();
    println!("{report}");
    ensure!((four.len(), three.len()) == (4, 3), "{four:?}, {three:?}");
    ensure!(stage.pids("web")? == before, "the first two were touched");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    ensure!(report.pids.len() == 4, "{report}");
    let file = stage.host().read_file(FILE)?;
    ensure!(file.contains("instances = 2"), "{file}");
    Ok(())
}

/// Several apps at once, with changes of none of them.
fn apply_without_a_change_touches_nothing(stage: &Stage) -> Result<()> {
    installed(stage)?;
    stage.bring("plain", "other")?;
    stage.appctl_ok(&[
        "install",
        "other",
        "/srv/other",
        "--in-place",
        "--listen",
        "3001",
        "--env",
        "PORT=3001",
        "--",
        "node",
        "-e",
        OTHER,
    ])?;
    let (footprint, before) = (stage.footprint()?, stage.pids("web")?);
    let said = stage.appctl_ok(&["apply", "web", "other"])?;
    ensure!(said.matches("nothing to do").count() == 2, "{said}");
    ensure!(stage.footprint()? == footprint, "files were touched");
    ensure!(stage.pids("web")? == before, "instances were touched");
    let said = stage.appctl_ok(&["rolling-restart", "web", "other"])?;
    println!("{said}");
    all_replaced(&before, &stage.pids("web")?)
}

const OTHER: &str = "require('http').createServer((q, r) => r.end()).listen(process.env.PORT)";

fn apply_rolls_a_changed_variable(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let before = stage.pids("web")?;
    let file = stage.host().read_file(FILE)?;
    stage
        .host()
        .write_file(FILE, &format!("{file}\n[env]\nRELEASE = \"painted\"\n"))?;
    let load = stage.load(3000, Shape::KeepAlive { body: 0, think: None });
    let said = stage.appctl_ok(&["apply", "web"])?;
    let report = load.stop();
    println!("{said}\n{report}");
    ensure!(
        said.contains("+ RELEASE=…") && !said.contains("painted"),
        "no diff, or the value: {said}"
    );
    ensure!(report.lost() == 0, "lost requests:\n{report}");
    ensure!(
        report.releases.contains_key("painted") && report.releases.contains_key("none"),
        "{report}"
    );
    all_replaced(&before, &stage.pids("web")?)
}

fn a_dry_run_changes_nothing(stage: &Stage) -> Result<()> {
    let empty = stage.footprint()?;
    stage.bring("plain", "web")?;
    stage.appctl_ok(&["install", "web", "/srv/web", "--user", "work", "--dry-run"])?;
    ensure!(stage.footprint()? == empty, "install --dry-run");
    installed(stage)?;
    let (footprint, before) = (stage.footprint()?, stage.pids("web")?);
    for words in [
        &["rolling-restart", "web"][..],
        &["restart", "web"],
        &["stop", "web"],
        &["scale", "web", "+2"],
        &["apply", "web"],
        &["uninstall", "web", "--purge"],
    ] {
        let said = stage.appctl_ok(&[words, &["--dry-run"]].concat())?;
        println!("{said}");
        ensure!(stage.footprint()? == footprint, "{words:?} --dry-run changed something");
    }
    ensure!(stage.pids("web")? == before, "instances were touched");
    Ok(())
}

/// A changed file of variables, drop-in or program makes the first new instance prove itself; nothing new does not.
fn a_restart_watches_what_changed(stage: &Stage) -> Result<()> {
    let (host, node) = (stage.host(), "/usr/local/bin/node");
    let drop_in = "/etc/systemd/system/web@.service.d/more.conf";
    host.run_ok(&["cp", "/usr/bin/node", node])?;
    host.write_file("/etc/web.env", "A=1\n")?;
    let directory = stage.bring("plain", "web")?;
    let install = [
        "install",
        "web",
        &directory,
        "--env-file",
        "/etc/web.env",
        "--",
        node,
        "server.js",
    ];
    stage.appctl_ok(&install)?;
    let watches = || -> Result<bool> {
        let said = stage.appctl_ok(&["rolling-restart", "web", "--dry-run"])?;
        ensure!(said.contains("start the surge instance"), "{said}");
        Ok(said.contains("watch it for 1500 ms"))
    };
    let upgrade = ["cp", "--remove-destination", "/usr/bin/node", node];
    ensure!(!watches()?, "nothing has changed");
    for change in ["variables", "drop-in", "program"] {
        match change {
            "variables" => host.write_file("/etc/web.env", "A=2\n")?,
            "drop-in" => host.write_file(drop_in, "[Service]\nNice=1\n")?,
            _ => host.run_ok(&upgrade).map(drop)?,
        }
        stage.systemctl(&["daemon-reload"])?;
        ensure!(watches()?, "the changed {change} is not watched");
        stage.appctl_ok(&["rolling-restart", "web"])?;
        ensure!(!watches()?, "it has started with the changed {change}");
    }
    Ok(())
}

fn uninstall_leaves_the_releases_and_purge_nothing(stage: &Stage) -> Result<()> {
    installed(stage)?;
    let shown = stage.appctl_ok(&["show", "web"])?;
    ensure!(
        shown.contains("/var/lib/appctl/web/releases") && shown.contains("web@.service"),
        "{shown}"
    );
    stage.appctl_ok(&["check", FILE])?;
    stage.appctl_ok(&["uninstall", "web"])?;
    let releases = ["test", "-d", "/var/lib/appctl/web/releases"];
    ensure!(stage.host().run(&releases)?.success(), "the releases are gone");
    ensure!(stage.appctl(&["status", "web"])?.status == 5, "web is still known");
    installed(stage)?;
    stage.appctl_ok(&["uninstall", "web", "--purge", "--yes"])?;
    let left = stage.footprint()?;
    let of_web: Vec<&str> = left.lines().filter(|line| line.contains("web")).collect();
    ensure!(of_web.is_empty(), "left behind: {of_web:?}");
    Ok(())
}
