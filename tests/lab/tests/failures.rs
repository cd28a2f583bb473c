//! What a release that does not come up does to an app that runs: nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Report, Shape};
use appctl_lab::patience::until;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Output, Stage, apps, on_each_debian};

on_each_debian!(
    a_broken_release_replaces_nothing,
    a_broken_configuration_is_taken_back,
    without_a_way_back_the_surge_stands_in,
    one_bad_instance_takes_a_new_configuration_back,
    a_broken_app_is_not_installed,
    a_killed_process_is_replaced,
);

/// The fixture, what its last lines must show, and whether it serves for a while before it dies.
const BROKEN: [(&str, &str, bool); 4] = [
    ("exits", "cannot read config/database.json: no such file", false),
    ("never-listens", "connecting to the database", false),
    ("dies-after-1s", "lost the connection to the database", true),
    ("wrong-port", "4000", false),
];
const PORT: u16 = 3000;
const RATE: Shape = Shape::OnePerConnection { rate: Some(300.0) };
const WANTED: &str = "/etc/appctl/apps/myapp.toml";
const APPLIED: &str = "/etc/appctl/applied/myapp.toml";
const CONFIG: &str = "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = 4\nlisten = 3000\n\
                      env = { RELEASE = 'old' }\n[ready]\ntimeout = '6s'\n";
/// A release of which one instance, named in a file, does not come up.
const FUSSY: &str = "if (require('fs').readFileSync('bad', 'utf8').trim() === process.env.INSTANCE) {\n\
                     console.error('this instance has no licence');\nprocess.exit(5);\n}\nrequire('./good.js');\n";

/// In place, four instances of a good app.
fn set_up(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    stage
        .host()
        .run_ok(&["cp", "/srv/myapp/server.js", "/srv/myapp/good.js"])?;
    for (fixture, ..) in BROKEN {
        let file = apps::prepare(fixture)?.join("server.js");
        stage.host().copy_in(&file, &format!("/srv/myapp/{fixture}.js"))?;
    }
    stage.host().write_file("/srv/myapp/fussy.js", FUSSY)?;
    stage.host().write_file(WANTED, CONFIG)?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

fn becomes(stage: &Stage, file: &str) -> Result<()> {
    stage
        .host()
        .run_ok(&["cp", &format!("/srv/myapp/{file}.js"), "/srv/myapp/server.js"])
        .map(drop)
}

/// A rollout may fail within a third of a second: the load goes on until it has seen enough to count.
fn after_enough(load: Load) -> Result<Report> {
    until("more load", Duration::from_secs(20), || {
        Ok((load.answered() > 200).then_some(()))
    })?;
    Ok(load.stop())
}

/// A release that serves for a while and dies takes what it holds with it, and no more than that.
fn only_lost(report: &Report, serves: bool) -> Result<()> {
    let (lost, counts) = (report.lost(), &report.counts);
    let held = counts.reset + counts.eof + counts.truncated;
    let fine = if serves { lost == held && held <= 32 } else { lost == 0 };
    ensure!(fine && counts.ok > 100, "lost requests:\n{report}");
    Ok(())
}

fn fails_with(output: &Output, said: &str) -> Result<()> {
    ensure!(
        output.status == 4,
        "exit code {}:\n{}{}",
        output.status,
        output.stdout,
        output.stderr
    );
    let all = format!("{}{}", output.stdout, output.stderr);
    ensure!(all.contains(said), "{said:?} is not in:\n{all}");
    Ok(())
}

/// Four regular instances, no surge, all ready.
fn whole(stage: &Stage) -> Result<BTreeMap<String, u64>> {
    let members = stage.members("myapp")?;
    ensure!(
        members.keys().map(String::as_str).eq(["1", "2", "3", "4"]) && members.values().all(|one| one.state == "ready"),
        "not whole: {members:?}"
    );
    stage.pids("myapp")
}

/// The code changes in place; whatever is wrong with it, the surge instance finds out.
fn a_broken_release_replaces_nothing(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let before = whole(stage)?;
    for (fixture, said, serves) in BROKEN {
        let load = stage.load(PORT, RATE);
        becomes(stage, fixture)?;
        let output = stage.appctl(&["rolling-restart", "myapp"])?;
        let report = after_enough(load)?;
        println!("{fixture}:\n{}{}{report}", output.stdout, output.stderr);
        fails_with(&output, said)?;
        ensure!(
            output.stderr.contains("the surge instance"),
            "which instance: {}",
            output.stderr
        );
        only_lost(&report, serves)?;
        ensure!(whole(stage)? == before, "{fixture} replaced something");
        ensure!(stage.status("myapp")?["state"] == "up", "{}", stage.status("myapp")?);
    }
    becomes(stage, "good")?;
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    all_replaced(&before, &whole(stage)?)
}

/// The same by another `exec` and `env`: also the applied configuration is the old one again.
fn a_broken_configuration_is_taken_back(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    let before = whole(stage)?;
    for (fixture, said, serves) in BROKEN {
        let load = stage.load(PORT, RATE);
        let config = CONFIG
            .replace("server.js", &format!("{fixture}.js"))
            .replace("'old'", "'new'");
        stage.host().write_file(WANTED, &config)?;
        let output = stage.appctl(&["apply", "myapp"])?;
        let report = after_enough(load)?;
        println!("{fixture}:\n{}{}{report}", output.stdout, output.stderr);
        fails_with(&output, said)?;
        only_lost(&report, serves)?;
        ensure!(whole(stage)? == before, "{fixture} replaced something");
        ensure!(
            stage.host().read_file(APPLIED)? == CONFIG,
            "the applied file is not the old one"
        );
        let units = stage.host().run_ok(&["systemctl", "cat", "myapp@1.service"])?;
        ensure!(!units.contains(fixture), "systemd has the new units:\n{units}");
        let status = stage.status("myapp")?;
        ensure!(
            status["notes"].to_string().contains("appctl apply myapp"),
            "unexplained: {status}"
        );
    }
    Ok(())
}

/// New code in place cannot be taken back: what was replaced stays so, and the surge instance replaces the missing one.
fn without_a_way_back_the_surge_stands_in(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for bad in 1..=4 {
        let before = whole(stage)?;
        stage.host().write_file("/srv/myapp/bad", &bad.to_string())?;
        becomes(stage, "fussy")?;
        let load = stage.load(PORT, RATE);
        let output = stage.appctl(&["rolling-restart", "myapp"])?;
        println!("instance {bad}:\n{}{}", output.stdout, output.stderr);
        fails_with(&output, "this instance has no licence")?;
        ensure!(
            output.stderr.contains(&format!("instance {bad}")),
            "which one: {}",
            output.stderr
        );
        let members = stage.members("myapp")?;
        ensure!(
            members.get("surge").is_some_and(|surge| surge.state == "ready"),
            "no surge: {members:?}"
        );
        for number in (1..=4).filter(|number| *number != bad) {
            let (name, kept) = (number.to_string(), number > bad);
            let same = members[&name].pid == before.get(&name).copied();
            ensure!(
                members[&name].state == "ready" && same == kept,
                "{number} of {before:?} {members:?}"
            );
        }
        let status = stage.status("myapp")?;
        ensure!(
            status["notes"].to_string().contains("appctl abort myapp"),
            "unexplained: {status}"
        );
        becomes(stage, "good")?;
        stage.appctl_ok(&["rolling-restart", "myapp"])?;
        let report = after_enough(load)?;
        println!("{report}");
        only_lost(&report, false)?;
        all_replaced(&before, &whole(stage)?)?;
    }
    Ok(())
}

/// Another configuration can be taken back, and is, wherever it fails.
fn one_bad_instance_takes_a_new_configuration_back(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for bad in 1..=4 {
        let before = whole(stage)?;
        stage.host().write_file("/srv/myapp/bad", &bad.to_string())?;
        let config = CONFIG.replace("server.js", "fussy.js").replace("'old'", "'new'");
        stage.host().write_file(WANTED, &config)?;
        let load = stage.load(PORT, RATE);
        let output = stage.appctl(&["apply", "myapp"])?;
        let report = after_enough(load)?;
        println!("instance {bad}:\n{}{}{report}", output.stdout, output.stderr);
        fails_with(&output, "this instance has no licence")?;
        ensure!(output.stderr.contains("back as it was"), "{}", output.stderr);
        only_lost(&report, false)?;
        ensure!(
            report.releases.contains_key("new"),
            "the new one never served:\n{report}"
        );
        let after = whole(stage)?;
        for number in 1..=4 {
            let same = after[&number.to_string()] == before[&number.to_string()];
            ensure!(same == (number > bad), "instance {number}: {before:?}, then {after:?}");
            ensure!(
                release_of(stage, after[&number.to_string()])? == "RELEASE=old",
                "{number} is not back"
            );
        }
        ensure!(
            stage.host().read_file(APPLIED)? == CONFIG,
            "the applied file is not the old one"
        );
    }
    Ok(())
}

fn release_of(stage: &Stage, pid: u64) -> Result<String> {
    let environment = stage.host().read_file(&format!("/proc/{pid}/environ"))?;
    let release = environment
        .split('\0')
        .find(|variable| variable.starts_with("RELEASE="));
    release
        .map(str::to_owned)
        .with_context(|| format!("{pid} has no RELEASE"))
}

/// Its last lines are told, and it leaves nothing but its account.
fn a_broken_app_is_not_installed(stage: &Stage) -> Result<()> {
    let without_account = |footprint: String| -> Vec<String> {
        let lines = footprint.lines().filter(|line| !line.starts_with("work:"));
        lines.map(str::to_owned).collect()
    };
    // Another app, so that what is there for all apps is there already.
    let other = stage.bring("port-env", "other")?;
    stage.appctl_ok(&["install", "other", &other, "--listen", "3001"])?;
    let before = without_account(stage.footprint()?);
    for (fixture, said, _) in BROKEN.iter().filter(|(fixture, ..)| *fixture != "never-listens") {
        let app = stage.bring(fixture, fixture)?;
        let output = stage.appctl(&["install", "myapp", &app, "--instances", "2", "--user", "work"])?;
        println!("{fixture}:\n{}{}", output.stdout, output.stderr);
        fails_with(&output, said)?;
        if *fixture == "wrong-port" {
            ensure!(output.stderr.contains("port 4000"), "which port: {}", output.stderr);
            ensure!(
                output
                    .stderr
                    .contains("appctl install myapp /srv/wrong-port --listen 4000"),
                "{}",
                output.stderr
            );
        }
        let after = without_account(stage.footprint()?);
        let change: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        let gone: Vec<_> = before.iter().filter(|line| !after.contains(line)).collect();
        ensure!(
            change.is_empty() && gone.is_empty(),
            "{fixture} left {change:#?}, took {gone:#?}"
        );
        ensure!(stage.appctl(&["status", "myapp"])?.status == 5, "still known");
    }
    Ok(())
}

/// SIGKILL for one app process, and for one shim: what it held may be lost, the replacement is there at once.
fn a_killed_process_is_replaced(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for (what, number) in [("app", "2"), ("shim", "3")] {
        let before = stage.members("myapp")?;
        let victim = if what == "app" {
            before[number].pid
        } else {
            before[number].shim_pid
        };
        let victim = victim.context("it runs")?.to_string();
        let load = stage.load(PORT, RATE);
        until("a load", Duration::from_secs(20), || {
            Ok((load.answered() > 300).then_some(()))
        })?;
        let script = "date +%s%6N; kill -9 \"$1\"";
        let killed: u64 = stage
            .host()
            .run_ok(&["sh", "-c", script, "sh", &victim])?
            .trim()
            .parse()?;
        let after = until("a replacement", Duration::from_secs(20), || {
            let member = stage.members("myapp")?.remove(number).context("it is listed")?;
            let other = member.pid.is_some() && member.pid != before[number].pid;
            Ok((member.state == "ready" && other && member.shim_pid != before[number].shim_pid).then_some(member))
        })?;
        let up = active_since(stage, number)?;
        let answered = load.answered();
        until("more load", Duration::from_secs(20), || {
            Ok((load.answered() > answered + 300).then_some(()))
        })?;
        let report = after_enough(load)?;
        println!(
            "kill -9 of {what}: full strength after {} ms\n{report}",
            up.saturating_sub(killed) / 1000
        );
        only_lost(&report, true)?;
        ensure!(after.shim_pid != before[number].shim_pid, "the same shim: {after:?}");
        let status = stage.status("myapp")?;
        let one = status["instances"]
            .as_array()
            .context("a list")?
            .iter()
            .find(|one| one["instance"] == number);
        ensure!(
            one.is_some_and(|one| one["restarts"] == 1),
            "the crash is not counted: {status}"
        );
        let others = |members: &BTreeMap<String, appctl_lab::stage::Member>| -> Vec<_> {
            members
                .iter()
                .filter(|(name, _)| *name != number)
                .map(|(_, one)| one.pid)
                .collect()
        };
        ensure!(
            others(&before) == others(&stage.members("myapp")?),
            "others were touched"
        );
    }
    Ok(())
}

/// In microseconds since 1970.
fn active_since(stage: &Stage, number: &str) -> Result<u64> {
    let path = format!("/org/freedesktop/systemd1/unit/myapp_40{number}_2eservice");
    let (service, interface) = ("org.freedesktop.systemd1", "org.freedesktop.systemd1.Unit");
    let answer = stage.host().run_ok(&[
        "busctl",
        "get-property",
        service,
        &path,
        interface,
        "ActiveEnterTimestamp",
    ])?;
    let time = answer.trim().strip_prefix("t ").context("a time")?;
    Ok(time.parse()?)
}
