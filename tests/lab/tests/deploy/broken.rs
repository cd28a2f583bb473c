//! Releases that are broken, in every way: the old one serves on, and loses nothing.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

use crate::chance::times;
use crate::scene::{RATE, WANTED, deploy, ends_with, install, live, lossless, more, releases, source_is, whole};

on_each_debian!(
    a_broken_release_never_serves,
    one_that_fails_on_any_instance_is_taken_back,
    without_a_surge_the_first_instance_proves_it,
    a_crash_while_it_bakes
);

/// What is wrong, the code, and what the last lines must show.
const BROKEN: [(&str, &str, &str); 5] = [
    ("exits", "console.error('no database'); process.exit(1);", "no database"),
    (
        "hangs",
        "console.log('waiting for a lock'); setInterval(() => {}, 1000);",
        "waiting for a lock",
    ),
    (
        "answers 500 to the probe",
        "const http = require('http'); const create = http.createServer; http.createServer = (f) => create((q, r) => \
         q.url === '/health' ? (r.statusCode = 500, r.end()) : f(q, r)); require('./good.js');",
        "500",
    ),
    (
        "listens too late",
        "setTimeout(() => require('./good.js'), 60000); console.log('warming up');",
        "warming up",
    ),
    (
        "dies after two seconds",
        "require('./good.js'); setTimeout(() => { console.error('out of luck'); process.exit(9); }, 2000);",
        "out of luck",
    ),
];

fn server_is(host: &impl Host, code: &str) -> Result<()> {
    host.write_file("/srv/myapp/server.js", code)
}

fn probed(host: &impl Host) -> Result<()> {
    let text = host.read_file(WANTED)?;
    let probed = text.replace("[ready]\n", "[ready]\nwhen = 'http'\npath = '/health'\n");
    ensure!(probed != text, "no [ready] in {text}");
    host.write_file(WANTED, &probed.replace("timeout = '8s'", "timeout = '3s'"))?;
    host.run_ok(&["appctl", "apply", "myapp"]).map(drop)
}

fn a_broken_release_never_serves(stage: &Stage) -> Result<()> {
    install(stage.host(), 2, "bake = '4s'")?;
    probed(stage.host())?;
    let (before, pids) = (live(stage.host())?, whole(stage, 2)?);
    for (nth, (what, code, said)) in BROKEN.into_iter().enumerate() {
        let dies_late = what.starts_with("dies");
        source_is(stage.host(), &format!("bad{nth}"))?;
        server_is(stage.host(), code)?;
        let load = stage.load(3000, RATE);
        more(&load, 100)?;
        let output = deploy(stage, &[])?;
        println!("{what}: {}\n{}{}", output.status, output.stdout, output.stderr);
        ends_with(&output, 4, said)?;
        more(&load, 200)?;
        let report = load.stop();
        let served = report.releases.contains_key(&format!("bad{nth}"));
        // What dies while it serves takes what it holds with it.
        ensure!(dies_late || !served, "{what} served:\n{report}");
        if !dies_late {
            lossless(&report)?;
            ensure!(whole(stage, 2)? == pids, "{what} replaced something");
        }
        ensure!(live(stage.host())? == before, "{what} is live");
        whole(stage, 2)?;
        marked(stage, nth + 1)?;
    }
    Ok(())
}

/// The newest release is bad: a rollback passes over it, and it is not deployed again by mistake.
fn marked(stage: &Stage, count: usize) -> Result<()> {
    let list = releases(stage.host())?;
    let bad = list.iter().filter(|(_, state)| state == "bad").count();
    ensure!(bad == count.min(5), "{count} are bad: {list:?}");
    ends_with(&deploy(stage, &[])?, 4, "--force")?;
    ends_with(&stage.appctl(&["rollback", "myapp", &list[0].0])?, 4, "is bad")
}

/// There is no instance to spare, so one of those that serve tries the release, while the old one is live.
fn without_a_surge_the_first_instance_proves_it(stage: &Stage) -> Result<()> {
    install(stage.host(), 2, "bake = '0s'\n[rollout]\nsurge = false")?;
    let before = live(stage.host())?;
    source_is(stage.host(), "bad")?;
    server_is(stage.host(), "console.error('no database'); process.exit(1);")?;
    let load = stage.load(3000, RATE);
    more(&load, 100)?;
    ends_with(&deploy(stage, &[])?, 4, "no database")?;
    ensure!(live(stage.host())? == before, "it was made live");
    let old = whole(stage, 2)?;
    source_is(stage.host(), "good")?;
    server_is(stage.host(), "require('./good.js');")?;
    ends_with(&deploy(stage, &[])?, 0, "is live")?;
    more(&load, 100)?;
    let report = load.stop();
    lossless(&report)?;
    let served = |release: &str| report.releases.contains_key(release);
    ensure!(served("r0") && served("good") && !served("bad"), "{report}");
    ensure!(live(stage.host())? != before && whole(stage, 2)? != old, "nothing new");
    let journal = stage.host().journal("myapp@*")?;
    ensure!(!journal.contains("surge"), "a surge: {journal}");
    Ok(())
}

/// The surge instance comes up, and then one that is asked for by its number does not.
fn one_that_fails_on_any_instance_is_taken_back(stage: &Stage) -> Result<()> {
    let count = times(2, 4);
    install(stage.host(), count, "bake = '300ms'")?;
    let before = live(stage.host())?;
    for instance in 1..=count {
        let name = format!("fussy{instance}");
        source_is(stage.host(), &name)?;
        let code = format!(
            "if (process.env.INSTANCE === '{instance}') {{ console.error('no licence'); process.exit(5); }}\n\
             require('./good.js');\n"
        );
        server_is(stage.host(), &code)?;
        let load = stage.load(3000, RATE);
        more(&load, 100)?;
        let output = deploy(stage, &[])?;
        println!("instance {instance}:\n{}{}", output.stdout, output.stderr);
        ends_with(&output, 4, "no licence")?;
        ends_with(&output, 4, &format!("instance {instance}: "))?;
        more(&load, 100)?;
        let report = load.stop();
        lossless(&report)?;
        ensure!(report.releases.contains_key(&name), "it never served:\n{report}");
        ensure!(live(stage.host())? == before, "it is live");
        whole(stage, count)?;
        ensure!(releases(stage.host())?[0].1 == "bad", "{:?}", releases(stage.host())?);
    }
    Ok(())
}

/// Everything came up and is watched: one process that dies is enough.
fn a_crash_while_it_bakes(stage: &Stage) -> Result<()> {
    install(stage.host(), 2, "bake = '30s'")?;
    let before = live(stage.host())?;
    source_is(stage.host(), "r1")?;
    let mut running = appctl_lab::running::Running::start(stage, &["deploy", "myapp", "/srv/myapp"])?;
    while let Some(step) = running.next_step()? {
        if step.starts_with("watch all") {
            let pid = stage.members("myapp")?["1"].pid.unwrap_or_default().to_string();
            stage.host().run_ok(&["kill", "-KILL", &pid])?;
        }
    }
    let ending = running.wait()?;
    ensure!(ending.code == Some(4), "{ending:?}");
    ensure!(live(stage.host())? == before, "it is live");
    whole(stage, 2)?;
    // Nothing was wrong with it: tried once more by force, and left early.
    let mut running = appctl_lab::running::Running::start(stage, &["deploy", "myapp", "/srv/myapp", "--force"])?;
    while let Some(step) = running.next_step()? {
        if step.starts_with("watch all") {
            running.signal("INT")?;
        }
    }
    let ending = running.wait()?;
    ensure!(ending.code == Some(0), "{ending:?}");
    let said = ending.said.last().map(ToString::to_string).unwrap_or_default();
    ensure!(said.contains("interrupted while it was watched"), "{said}");
    ensure!(live(stage.host())? != before, "it is not live");
    whole(stage, 2).map(drop)
}
