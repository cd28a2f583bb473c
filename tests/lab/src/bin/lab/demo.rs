//! What a user sees: the package, an app that knows nothing of it, four instances on one port, all of them replaced.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Plan, Report, Shape, Target};
use appctl_lab::{Host, apps, built_deb};

const APP: &str = "/srv/myapp";
const PORT: u16 = 3000;
/// Requests answered before the restart begins, and again after it has ended: the load must be there all the time.
const ANSWERED: u64 = 500;

/// Runs the session on a fresh system and prints it. Fails where the promise is not kept.
pub(crate) fn run(host: &dyn Host) -> Result<()> {
    println!("{} is up, with systemd as PID 1", host.debian());
    host.install_deb(&built_deb()?)?;
    host.copy_in(&apps::prepare("plain")?, APP)?;
    session(
        host,
        &["appctl", "install", "myapp", APP, "--instances", "4", "--user", "work"],
    )?;
    session(host, &["appctl", "status"])?;
    let before = pids(host)?;
    let load = roll_under_load(host)?;
    let after = pids(host)?;
    session(host, &["appctl", "status"])?;
    report(&load, &before, &after)
}

/// From outside: one connection per request, 32 at a time, no retries.
fn roll_under_load(host: &dyn Host) -> Result<Report> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, host.port(PORT)?));
    let load = Load::start(Plan::new(Target::Tcp(address), Shape::OnePerConnection { rate: None }));
    answer(&load, ANSWERED)?;
    session(host, &["appctl", "rolling-restart", "myapp"])?;
    answer(&load, load.answered() + ANSWERED)?;
    Ok(load.stop())
}

fn answer(load: &Load, count: u64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while load.answered() < count {
        ensure!(
            Instant::now() < deadline,
            "only {} requests were answered",
            load.answered()
        );
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// One line of the session, as typed, and what came of it.
fn session(host: &dyn Host, argv: &[&str]) -> Result<()> {
    println!("\n# {}", argv.join(" "));
    let output = host.run(argv)?;
    print!("{}{}", output.stdout, output.stderr);
    ensure!(output.success(), "exit code {}", output.status);
    Ok(())
}

/// The main process of each instance.
fn pids(host: &dyn Host) -> Result<Vec<u32>> {
    let text = host.run_ok(&["systemctl", "show", "--property=MainPID", "--value", "myapp@*.service"])?;
    Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}

fn report(load: &Report, before: &[u32], after: &[u32]) -> Result<()> {
    println!("\n{load}\nmain processes before: {before:?}\nmain processes after:  {after:?}");
    ensure!(before.len() == 4 && after.len() == 4, "four instances were asked for");
    ensure!(
        before.iter().all(|pid| !after.contains(pid)),
        "an instance was not replaced"
    );
    ensure!(
        load.lost() == 0,
        "{} of {} requests were lost",
        load.lost(),
        load.counts.total()
    );
    println!(
        "{} requests were served while every instance was replaced; none was lost",
        load.counts.ok
    );
    Ok(())
}
