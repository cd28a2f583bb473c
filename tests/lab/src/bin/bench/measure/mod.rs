//! What is measured, one file each, and in which order. Contenders take turns within every round.

mod beside;
mod idle;
mod kill;
mod listing;
mod reload;
mod start;
mod supervision;
mod throughput;

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Plan, Shape};
use appctl_lab::patience::until;
use clap::ValueEnum;

use crate::asking;
use crate::book::Book;
use crate::scene::Scene;
use crate::settings::Settings;

/// A part of the whole, which can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Reload,
    Kill,
    Throughput,
    Beside,
    Supervision,
}

/// The parts asked for; all when none is named.
pub(crate) fn all(scene: &Scene, settings: &Settings, parts: &[Part], book: &mut Book) -> Result<()> {
    for part in Part::value_variants() {
        match part {
            part if !parts.is_empty() && !parts.contains(part) => {}
            Part::Reload => {
                reload::measure(scene, settings, book);
                start::measure(scene, settings, book);
            }
            Part::Kill => kill::measure(scene, settings, book),
            Part::Throughput => throughput::measure(scene, settings, book)?,
            Part::Beside => beside::measure(scene, settings, book)?,
            Part::Supervision => supervision::measure(scene, settings, book),
        }
    }
    Ok(())
}

/// A request without an answer after this is lost.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a load runs undisturbed before and after what it watches.
const CALM: Duration = Duration::from_millis(500);

fn plan(shape: Shape, connections: usize) -> Plan {
    plan_on(asking::PORT, shape, connections)
}

fn plan_on(port: u16, shape: Shape, connections: usize) -> Plan {
    Plan::new(asking::target(port), shape)
        .connections(connections)
        .timeout(TIMEOUT)
}

/// A load that has been answered for a while.
fn running(plan: Plan) -> Result<Load> {
    let load = Load::start(plan);
    until("the first answer", TIMEOUT, || Ok((load.answered() > 0).then_some(())))?;
    thread::sleep(CALM);
    Ok(load)
}

const ONE_PER_CONNECTION: Shape = Shape::OnePerConnection { rate: Some(500.0) };
const KEEP_ALIVE: Shape = Shape::KeepAlive {
    body: 16 * 1024,
    think: None,
};

/// Ends a load and gives what it lost. How is told at once: a number alone convinces nobody.
fn losses(load: Load) -> Result<f64> {
    let report = load.stop();
    ensure!(report.counts.local == 0, "the client failed: {report}");
    let found = report.counts.rows().into_iter().skip(1).filter(|(_, count)| *count > 0);
    found.for_each(|(bucket, count)| eprintln!("bench: {bucket}: {count} of {}", report.counts.total()));
    Ok(float(report.lost()))
}

/// Losses and the like are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
