//! Two packages of appctl beside each other: throughput, and how long a rolling restart takes. Each has a box of its own
//! on one machine, and they take turns, each the first in every other round. Prints medians and their ratio; judges
//! nothing but that no request is lost. `versions-bench OLD.deb NEW.deb [ROUNDS] [DEBIAN]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Plan, Report, Shape, Target};
use appctl_lab::patience::until;
use appctl_lab::{Box_, Debian, Host as _};

const SAMPLE: Duration = Duration::from_secs(3);
const CALM: Duration = Duration::from_millis(500);
const KEPT: Shape = Shape::KeepAlive { body: 0, think: None };
const CLOSED: Shape = Shape::OnePerConnection { rate: None };
/// What a rolling restart meets: most of what two processors can do, and not all of it.
const STEADY: Shape = Shape::OnePerConnection { rate: Some(500.0) };
/// What is measured, in the order of the samples of one round.
const MEASURES: [&str; 5] = [
    "keep-alive, requests/s",
    "one per connection, requests/s",
    "rolling restart, idle, ms",
    "rolling restart, 500 requests/s, ms",
    "rolling restart, full keep-alive load, ms",
];

/// A box with one of the packages and four instances of an app.
struct Side {
    host: Box_,
    port: u16,
    rounds: Vec<[f64; MEASURES.len()]>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let usage = "usage: versions-bench OLD.deb NEW.deb [ROUNDS] [DEBIAN]";
    let (old, new) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let text = |word: Option<std::ffi::OsString>| word.map(|word| word.to_string_lossy().into_owned());
    let rounds: usize = text(arguments.next()).map_or(Ok(5), |word| word.parse())?;
    let debian: Debian = text(arguments.next()).map_or(Ok(Debian::Thirteen), |word| {
        word.parse().map_err(|error: String| anyhow::anyhow!(error))
    })?;
    let mut sides = [
        Side::set(debian, &PathBuf::from(old), 3001)?,
        Side::set(debian, &PathBuf::from(new), 3002)?,
    ];
    for nth in 0..rounds {
        for at in [nth % 2, 1 - nth % 2] {
            let round = sides[at].round()?;
            sides[at].rounds.push(round);
        }
        eprintln!("round {} of {rounds}", nth + 1);
    }
    print_table(debian, &sides);
    Ok(())
}

impl Side {
    fn set(debian: Debian, package: &Path, port: u16) -> Result<Self> {
        let host = Box_::boot(debian)?;
        host.install_deb_alone(package)?;
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("apps/plain");
        host.copy_in(&app, "/srv/myapp")?;
        host.run_ok(&["chmod", "-R", "u=rwX,go=rX", "/srv/myapp"])?;
        let port_line = format!("s/3000/{port}/g");
        host.run_ok(&["sed", "-i", &port_line, "/srv/myapp/server.js"])?;
        let listen = port.to_string();
        let install = [
            "appctl",
            "install",
            "myapp",
            "/srv/myapp",
            "--instances",
            "4",
            "--user",
            "work",
        ];
        host.run_ok(&[&install[..], &["--listen", &listen]].concat())?;
        let rounds = Vec::new();
        Ok(Self { host, port, rounds })
    }

    fn round(&self) -> Result<[f64; MEASURES.len()]> {
        let kept = self.throughput(KEPT)?;
        let closed = self.throughput(CLOSED)?;
        let idle = self.restart()?;
        let steady = self.restart_under(STEADY)?;
        Ok([kept, closed, idle, steady, self.restart_under(KEPT)?])
    }

    fn plan(&self, shape: Shape) -> Plan {
        Plan::new(Target::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))), shape)
    }

    fn throughput(&self, shape: Shape) -> Result<f64> {
        let report = Load::start(self.plan(shape).lasting(SAMPLE)).wait();
        none_lost(&report)?;
        thread::sleep(CALM);
        Ok(report.per_second())
    }

    /// Milliseconds.
    fn restart(&self) -> Result<f64> {
        let start = Instant::now();
        self.host.run_ok(&["appctl", "rolling-restart", "myapp"])?;
        let took = start.elapsed();
        thread::sleep(CALM);
        Ok(took.as_secs_f64() * 1e3)
    }

    fn restart_under(&self, shape: Shape) -> Result<f64> {
        let load = Load::start(self.plan(shape));
        until(
            "the first answer",
            CALM * 10,
            || Ok((load.answered() > 0).then_some(())),
        )?;
        thread::sleep(CALM);
        let took = self.restart()?;
        none_lost(&load.stop())?;
        Ok(took)
    }

    fn median(&self, measure: usize) -> f64 {
        let mut samples: Vec<f64> = self.rounds.iter().map(|round| round[measure]).collect();
        samples.sort_by(f64::total_cmp);
        let middle = samples.len() / 2;
        if samples.len() % 2 == 1 {
            samples[middle]
        } else {
            f64::midpoint(samples[middle - 1], samples[middle])
        }
    }
}

fn none_lost(report: &Report) -> Result<()> {
    ensure!(report.lost() == 0, "requests were lost: {report}");
    Ok(())
}

fn print_table(debian: Debian, [old, new]: &[Side; 2]) {
    println!("{debian}, {} rounds; medians", old.rounds.len());
    println!("{:<44}{:>10}{:>10}{:>10}", "", "old", "new", "new/old");
    for (at, measure) in MEASURES.iter().enumerate() {
        let (before, after) = (old.median(at), new.median(at));
        println!("{measure:<44}{before:>10.0}{after:>10.0}{:>10.3}", after / before);
    }
}
