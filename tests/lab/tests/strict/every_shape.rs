//! Rollout after rollout under all shapes of load at once: three instances and one, with the surge instance and without.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::load::{Bucket, Loss, Report};
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::field::{Field, IDLE, SOCKET, line};
use crate::nginx;
use crate::scale::Scale;

/// Of each shape by name.
type Reports = Vec<(&'static str, Report)>;

on_each_debian!(no_rollout_loses_a_request_of_any_shape);

/// What a request may take during a rollout with a surge instance, 999 of 1000.
const BAR: f64 = 1.0;
/// On a busy machine: so many times what 99 of 100 take without a rollout.
const AS_CALM: f64 = 10.0;
/// The least number of clean ends of idle connections for each that a request crossed.
const FINS_PER_CROSSING: u64 = 10;

fn no_rollout_loses_a_request_of_any_shape(stage: &Stage) -> Result<()> {
    let scale = Scale::of_this_run();
    set_up(stage, &scale)?;
    // From here on there has been a rollout, which leaves its record.
    configure(stage, &scale, 1, false)?;
    configure(stage, &scale, 3, true)?;
    let before = leftovers(stage)?;
    for (instances, surge) in [(3, true), (3, false), (1, true), (1, false)] {
        configure(stage, &scale, instances, surge)?;
        let way = if surge { "with" } else { "without" };
        println!("{}: {instances} instances, {way} surge", stage.host().debian());
        rollouts(stage, &scale, surge, &calm(stage, &scale)?)?;
    }
    configure(stage, &scale, 3, true)?;
    let after = leftovers(stage)?;
    ensure!(before == after, "left behind:\n{before}\n{after}");
    Ok(())
}

/// Three instances behind a proxy.
pub(crate) fn set_up(stage: &Stage, scale: &Scale) -> Result<()> {
    stage.bring("every-shape", "web")?;
    becomes(stage, "r0")?;
    configure(stage, scale, 3, true)?;
    nginx::start(stage)
}

/// Makes the app what it is to be.
fn configure(stage: &Stage, scale: &Scale, instances: u32, surge: bool) -> Result<()> {
    let linger = scale.linger.as_millis();
    let timeout = (2 * scale.slow + scale.linger + Duration::from_secs(5)).as_millis();
    let rest = format!(
        "[ready]\nsettle = \"100ms\"\n[stop]\nlinger = \"{linger}ms\"\ntimeout = \"{timeout}ms\"\n\
         [restart]\ndelay = \"50ms\"\nmax_delay = \"100ms\"\n[rollout]\nsurge = {surge}\n"
    );
    write(stage, instances, &rest)
}

/// Applies a configuration, of which `rest` is what is not the same everywhere.
pub(crate) fn write(stage: &Stage, instances: u32, rest: &str) -> Result<()> {
    let file = format!(
        "exec = \"node server.js\"\ndirectory = \"/srv/web\"\ninstances = {instances}\n\
         listen = [3000, 3001, \"{SOCKET}\"]\nenv = {{ SOCKET = \"{SOCKET}\" }}\n{rest}"
    );
    stage.host().write_file("/etc/appctl/apps/web.toml", &file)?;
    stage.appctl_ok(&["apply", "web"]).map(drop)
}

/// New code in place.
pub(crate) fn becomes(stage: &Stage, release: &str) -> Result<()> {
    stage.host().write_file("/srv/web/release.txt", release)
}

/// What rollouts could leave behind: units, files, processes that nobody has waited for.
fn leftovers(stage: &Stage) -> Result<String> {
    let script = "systemctl list-units --all --plain --no-legend 'web*' | cut -d' ' -f1 | sort; \
                  find /run/appctl | sort; ps -e -o stat= | grep -c ^Z";
    let output = stage.host().run(&["sh", "-c", script])?;
    Ok(output.stdout)
}

/// The same load while nothing is replaced.
fn calm(stage: &Stage, scale: &Scale) -> Result<Reports> {
    let field = Field::start(stage, scale)?;
    for _ in 0..3 {
        field.goes_on(&field.answered())?;
    }
    Ok(field.stop())
}

fn rollouts(stage: &Stage, scale: &Scale, surge: bool, calm: &Reports) -> Result<()> {
    let field = Field::start(stage, scale)?;
    let mut longest = Duration::ZERO;
    let mut releases = Vec::new();
    for number in 1..=scale.rollouts {
        let release = format!("r{number}");
        becomes(stage, &release)?;
        releases.push(release);
        let (before, start) = (stage.pids("web")?, Instant::now());
        stage.appctl_ok(&["rolling-restart", "web"])?;
        longest = longest.max(start.elapsed());
        all_replaced(&before, &stage.pids("web")?)?;
        // The old ones have ended: whatever is answered from now on is by the new.
        field.goes_on(&field.answered())?;
    }
    let reports = field.stop();
    println!("  {} rollouts, the longest {longest:.1?}", scale.rollouts);
    for (name, report) in &reports {
        println!("{}", line(name, report));
    }
    let faults = reports
        .iter()
        .filter_map(|(name, report)| nothing_lost(name, report, &releases, scale.linger).err());
    let faults: Vec<String> = faults.map(|fault| fault.to_string()).collect();
    ensure!(faults.is_empty(), "{}\n{}", faults.join("\n"), complaints(stage)?);
    latencies(&reports, calm, surge, longest)
}

/// What the instances said of trouble.
fn complaints(stage: &Stage) -> Result<String> {
    let journal = stage.host().journal("web@*")?;
    let quiet = ["Start", "Stopp", "ready after", "Deactivated"];
    let lines = journal
        .lines()
        .filter(|line| !quiet.iter().any(|word| line.contains(word)));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Every release has served every shape, so no shape slept through a rollout.
fn nothing_lost(name: &str, report: &Report, releases: &[String], linger: Duration) -> Result<()> {
    let crossed = if name == IDLE { crossed(report, linger) } else { 0 };
    ensure!(
        report.lost() == crossed && report.counts.ok > 0,
        "{name}: lost requests:\n{report}"
    );
    ensure!(report.idle_rsts == 0, "{name}: idle connections were reset:\n{report}");
    ensure!(
        crossed * FINS_PER_CROSSING <= report.idle_fins,
        "{name}: {crossed} requests crossed a FIN:\n{report}"
    );
    let missing: Vec<_> = releases
        .iter()
        .filter(|release| !report.releases.contains_key(*release))
        .collect();
    ensure!(missing.is_empty(), "{name}: {missing:?} never served:\n{report}");
    Ok(())
}

/// Requests that were on their way when the FIN was: on a connection that had been idle for the whole linger, and answered
/// by nothing but that FIN. No server can answer them, and no client know whether they were carried out.
fn crossed(report: &Report, linger: Duration) -> u64 {
    let crossed = |loss: &&Loss| loss.bucket == Bucket::Eof && loss.idle >= linger.as_secs_f64();
    report.losses.iter().filter(crossed).map(|_| 1).sum()
}

/// With a surge instance nobody waits for a start; without one, for a drain and a start at most. On a machine that has
/// others to serve, the same load without a rollout tells what can be asked of it.
fn latencies(reports: &Reports, calm: &Reports, surge: bool, longest: Duration) -> Result<()> {
    for ((name, report), (_, calm)) in reports
        .iter()
        .zip(calm)
        .filter(|((name, _), _)| !name.starts_with("L5"))
    {
        let (latency, bar) = (report.latency, BAR.max(AS_CALM * calm.latency.p99));
        ensure!(
            !surge || latency.p999 < bar,
            "{name}: 1 of 1000 took longer than {bar:.1} s:\n{report}"
        );
        ensure!(
            latency.max < 2.0 * longest.as_secs_f64() + bar,
            "{name}: waited for more than a start:\n{report}"
        );
    }
    Ok(())
}
