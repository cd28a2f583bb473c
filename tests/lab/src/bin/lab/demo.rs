//! What a user sees: the package, an app that knows nothing of it, four instances on one port, all of them replaced
//! while requests keep coming.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Plan, Report, Shape, Target};
use appctl_lab::{Host, built_deb};
use serde_json::Value;

const APP: &str = "/root/myapp";
const PORT: u16 = 3000;

/// Runs the session on a fresh system and prints it. Fails where the promise is not kept.
pub(crate) fn run(host: &dyn Host) -> Result<()> {
    println!("{} is up, with systemd as PID 1.", host.debian());
    let port = host.port(PORT)?;
    println!("\n# apt install ./appctl_*.deb");
    host.install_deb(&built_deb()?)?;
    host.copy_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("apps/plain"), APP)?;
    session(host, &["cat", &format!("{APP}/package.json")])?;
    let install = ["appctl", "install", "myapp", APP, "--instances", "4", "--user", "work"];
    session(host, &install)?;
    session(host, &["appctl", "status"])?;
    let before = pids(host)?;
    println!("\nFrom outside, requests start to come: 32 clients with a connection per request, 8 that keep theirs.");
    let loads = Loads::start(port)?;
    session(host, &["appctl", "rolling-restart", "myapp"])?;
    let reports = loads.stop();
    session(host, &["appctl", "status"])?;
    verdict(&before, &pids(host)?, &reports)
}

/// One line of the session, as typed, and what came of it.
fn session(host: &dyn Host, argv: &[&str]) -> Result<()> {
    println!("\n# {}", argv.join(" "));
    let output = host.run(argv)?;
    print!("{}{}", output.stdout, output.stderr);
    ensure!(output.success(), "exit code {}", output.status);
    Ok(())
}

/// The app's own process of each instance.
fn pids(host: &dyn Host) -> Result<Vec<u64>> {
    let status: Value = serde_json::from_str(&host.run_ok(&["appctl", "status", "myapp", "--json"])?)?;
    let instances = status["apps"][0]["instances"].as_array().context("instances")?;
    Ok(instances.iter().filter_map(|each| each["pid"].as_u64()).collect())
}

/// Both kinds of clients.
struct Loads([Load; 2]);

impl Loads {
    /// Starts them, and waits until each kind has been answered.
    fn start(port: u16) -> Result<Self> {
        let target = Target::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let plan = |shape| Plan::new(target.clone(), shape);
        let kept = Shape::KeepAlive {
            body: 16256,
            think: None,
        };
        let loads = [
            Load::start(plan(Shape::OnePerConnection { rate: None })),
            Load::start(plan(kept).connections(8)),
        ];
        let deadline = Instant::now() + Duration::from_secs(10);
        while loads.iter().any(|load| load.answered() == 0) {
            ensure!(Instant::now() < deadline, "no answer from port {port}");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Self(loads))
    }

    fn stop(self) -> [Report; 2] {
        self.0.map(Load::stop)
    }
}

fn verdict(before: &[u64], after: &[u64], reports: &[Report; 2]) -> Result<()> {
    println!("\nprocesses before  {before:?}\nprocesses after   {after:?}\n");
    for report in reports {
        print!("{}", summary(report));
    }
    ensure!(before.len() == 4 && after.len() == 4, "four instances were asked for");
    ensure!(
        before.iter().all(|pid| !after.contains(pid)),
        "an instance was not replaced"
    );
    let served: u64 = reports.iter().map(|report| report.counts.ok).sum();
    let lost: u64 = reports.iter().map(Report::lost).sum();
    ensure!(lost == 0, "{lost} requests were lost, {served} were served");
    println!("\nAll four processes were replaced. {served} requests were served meanwhile, none was lost.");
    Ok(())
}

fn summary(report: &Report) -> String {
    let counts = &report.counts;
    let losses: String = report.losses.iter().map(|loss| format!("  {loss}\n")).collect();
    format!(
        "{}: {} served, {} refused, {} reset, {} timed out, {} otherwise lost; slowest answer {:.0} ms\n{losses}",
        report.shape,
        counts.ok,
        counts.refused,
        counts.reset,
        counts.timeout,
        report.lost() - counts.refused - counts.reset - counts.timeout,
        report.latency.max * 1e3,
    )
}
