//! One app with releases, and the orders a test gives about it. The fixture tells its release in `x-release`, from
//! `release.txt` beside it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Report, Shape};
use appctl_lab::patience::until;
use appctl_lab::{Host, Output, Stage, apps};
use serde_json::Value;

/// Where new releases come from.
pub const SOURCE: &str = "/srv/myapp";
/// What an operator edits.
pub const WANTED: &str = "/etc/appctl/apps/myapp.toml";
/// Many connections, one request each.
pub const RATE: Shape = Shape::OnePerConnection { rate: Some(300.0) };

/// Installs `instances` of release `r0` in a box, with quick stops, and what else `deploy` says of `[deploy]`.
pub fn install(host: &impl Host, instances: usize, deploy: &str) -> Result<()> {
    install_patiently(host, instances, "8s", deploy)
}

/// The same; an instance may take this long to be ready.
pub fn install_patiently(host: &impl Host, instances: usize, timeout: &str, deploy: &str) -> Result<()> {
    host.copy_in(&apps::prepare("plain")?, SOURCE)?;
    host.run_ok(&["chmod", "-R", "u=rwX,go=rX", SOURCE])?;
    host.run_ok(&["cp", "/srv/myapp/server.js", "/srv/myapp/good.js"])?;
    source_is(host, "r0")?;
    let count = instances.to_string();
    host.run_ok(&[
        "appctl",
        "install",
        "myapp",
        SOURCE,
        "--instances",
        &count,
        "--user",
        "work",
    ])?;
    let more =
        format!("\n[ready]\ntimeout = '{timeout}'\nsettle = '300ms'\n[stop]\nlinger = '200ms'\n[deploy]\n{deploy}\n");
    let text = host.read_file(WANTED)?;
    host.write_file(WANTED, &format!("{text}{more}"))?;
    host.run_ok(&["appctl", "apply", "myapp"]).map(drop)
}

/// The next release answers as `name`.
pub fn source_is(host: &impl Host, name: &str) -> Result<()> {
    host.write_file("/srv/myapp/release.txt", name)
}

/// The id of the live release.
pub fn live(host: &impl Host) -> Result<String> {
    let target = host.run_ok(&["readlink", "/var/lib/appctl/myapp/current"])?;
    let id = target.trim_end().strip_prefix("releases/").context("a release")?;
    Ok(id.to_owned())
}

/// One app of `appctl status --json`.
pub fn status(host: &impl Host) -> Result<Value> {
    let text = host.run_ok(&["appctl", "status", "myapp", "--json"])?;
    let mut value: Value = serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?;
    value.pointer_mut("/apps/0").map(Value::take).context("an app")
}

/// `appctl releases --json`, newest first: id and state.
pub fn releases(host: &impl Host) -> Result<Vec<(String, String)>> {
    let text = host.run_ok(&["appctl", "releases", "myapp", "--json"])?;
    let value: Value = serde_json::from_str(&text)?;
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let list = value["releases"].as_array().context("a list")?;
    Ok(list
        .iter()
        .map(|one| (text(one, "release"), text(one, "state")))
        .collect())
}

/// Runs `appctl deploy` of the source as it is.
pub fn deploy(stage: &Stage, more: &[&str]) -> Result<Output> {
    stage.appctl(&[&["deploy", "myapp", SOURCE], more].concat())
}

/// It must end with this code, having said this.
pub fn ends_with(output: &Output, code: i32, said: &str) -> Result<()> {
    let all = format!("{}{}", output.stdout, output.stderr);
    ensure!(output.status == code, "exit code {}, not {code}:\n{all}", output.status);
    ensure!(all.contains(said), "{said:?} is not in:\n{all}");
    Ok(())
}

/// All instances are ready, on the live release, and nothing is open or pinned; gives their pids.
pub fn whole(stage: &Stage, instances: usize) -> Result<Vec<u64>> {
    let status = status(stage.host())?;
    let live = live(stage.host())?;
    let list = status["instances"].as_array().context("a list")?;
    let fine = |one: &Value| one["state"] == "ready" && one["release"] == live.as_str();
    ensure!(
        list.len() == instances && list.iter().all(fine) && status["rollout"].is_null(),
        "not whole on {live}: {status}"
    );
    let pins = stage.host().run(&["ls", "-A", "/run/appctl/myapp/pin"])?;
    ensure!(pins.stdout.is_empty(), "pins are left: {}", pins.stdout);
    Ok(list.iter().filter_map(|one| one["pid"].as_u64()).collect())
}

/// Lets the load go on until it has had so many more answers.
pub fn more(load: &Load, answers: u64) -> Result<()> {
    let before = load.answered();
    until("more load", Duration::from_secs(30), || {
        Ok((load.answered() > before + answers).then_some(()))
    })
}

/// Nothing was lost, and enough was asked for that to mean something.
pub fn lossless(report: &Report) -> Result<()> {
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 300, "lost requests:\n{report}");
    Ok(())
}
