//! Requests per second on one core: everything of a contender is confined to the first, the client to the last.

use std::thread;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Shape};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::{CALM, plan};
use crate::book::Book;
use crate::book::subject::{RATE_KEEP_1, RATE_KEEP_2, RATE_ONE_1, RATE_ONE_2, Subject};
use crate::contender::{self, Appctl, Contender, Node, Pm2};
use crate::scene::Scene;
use crate::settings::Settings;

const SERVER_CORE: &str = "0";
const CONNECTIONS: usize = 32;
const KEPT: Shape = Shape::KeepAlive { body: 0, think: None };
const CLOSED: Shape = Shape::OnePerConnection { rate: None };

pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) -> Result<()> {
    let everywhere = confine_client()?;
    let pm2 = Pm2 { handler: false };
    let single: [(Subject, Shape); 2] = [(RATE_KEEP_1, KEPT), (RATE_ONE_1, CLOSED)];
    let double: [(Subject, Shape); 2] = [(RATE_KEEP_2, KEPT), (RATE_ONE_2, CLOSED)];
    let entries: [(&dyn Contender, usize, &[(Subject, Shape)]); 4] = [
        (&Node, 1, &single),
        (&Appctl, 1, &single),
        (&Appctl, 2, &double),
        (&pm2, 2, &double),
    ];
    for _ in 0..settings.rounds {
        for (contender, workers, shapes) in entries {
            book.attempt(contender.who(), "throughput", |book| {
                contender::with(scene, contender, workers, || {
                    confine_servers(scene, contender)?;
                    shapes
                        .iter()
                        .try_for_each(|shape| sample(settings, contender, shape, book))
                })
            });
        }
    }
    sched_setaffinity(Pid::from_raw(0), &everywhere).context("cannot leave the last core")
}

fn sample(settings: &Settings, contender: &dyn Contender, shape: &(Subject, Shape), book: &mut Book) -> Result<()> {
    let (subject, shape) = shape;
    let plan = plan(shape.clone(), CONNECTIONS);
    // What the just-in-time compiler has not seen yet is no throughput.
    Load::start(plan.clone().lasting(CALM)).wait();
    let report = Load::start(plan.lasting(settings.throughput)).wait();
    ensure!(report.lost() == 0, "a loss without a reload: {report}");
    book.enter(*subject, contender.who(), report.per_second());
    book.client_used(report.cpu_share());
    // Closed connections of this sample are none of the next one's business.
    thread::sleep(CALM);
    Ok(())
}

/// Moves this thread, and with it every client it starts, to the last core; gives where it was.
fn confine_client() -> Result<CpuSet> {
    let everywhere = sched_getaffinity(Pid::from_raw(0))?;
    let last = thread::available_parallelism()?.get() - 1;
    ensure!(last > 0, "client and servers need a core each");
    let mut core = CpuSet::new();
    core.set(last)?;
    sched_setaffinity(Pid::from_raw(0), &core)?;
    Ok(everywhere)
}

/// With all their threads. Workers of PM2 and its daemon, which accepts for them, share the core as all others do.
fn confine_servers(scene: &Scene, contender: &dyn Contender) -> Result<()> {
    for pid in [contender.workers(scene)?, contender.supervisors(scene)?].concat() {
        scene.run(&[
            "taskset",
            "--all-tasks",
            "--cpu-list",
            "--pid",
            SERVER_CORE,
            &pid.to_string(),
        ])?;
    }
    Ok(())
}
