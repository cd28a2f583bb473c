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
    ensure!(said.contains("RELEASE=painted"), "no diff: {said}");
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
