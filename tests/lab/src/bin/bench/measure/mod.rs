//! What is measured, one file each, and in which order. Contenders take turns within every round.

mod idle;
mod kill;
mod listing;
mod memory;
mod reload;
mod throughput;

use std::thread;
use std::time::Duration;

use anyhow::Result;
use appctl_lab::load::{Load, Plan, Shape};
use appctl_lab::patience::until;

use crate::asking;
use crate::book::Book;
use crate::scene::Scene;
use crate::settings::Settings;

/// Everything.
pub(crate) fn all(scene: &Scene, settings: &Settings, book: &mut Book) -> Result<()> {
    reload::measure(scene, settings, book);
    kill::measure(scene, settings, book);
    throughput::measure(scene, settings, book)?;
    memory::measure(scene, settings, book);
    Ok(())
}

/// A request without an answer after this is lost.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a load runs undisturbed before and after what it watches.
const CALM: Duration = Duration::from_millis(700);

fn plan(shape: Shape, connections: usize) -> Plan {
    Plan::new(asking::target(), shape)
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

/// Losses and the like are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
