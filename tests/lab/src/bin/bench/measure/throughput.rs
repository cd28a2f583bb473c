//! Requests per second on one core: everything of a contender is confined to the first, the client to the last. And the
//! CPU time of all of it per request, which a busy machine disturbs less.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::{Load, Shape};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::{CALM, float, plan};
use crate::book::Book;
use crate::book::subject::{
    CPU_KEEP_1, CPU_KEEP_2, CPU_ONE_1, CPU_ONE_2, RATE_KEEP_1, RATE_KEEP_2, RATE_ONE_1, RATE_ONE_2, Subject, Who,
};
use crate::contender::{self, Appctl, Contender, Node, Pm2};
use crate::process;
use crate::scene::Scene;
use crate::settings::Settings;

const SERVER_CORE: &str = "0";
const CONNECTIONS: usize = 32;
/// So many requests before each sample, but no longer.
pub(super) const WARM_UP: (u64, Duration) = (10_000, Duration::from_secs(5));
pub(super) const KEPT: Shape = Shape::KeepAlive { body: 0, think: None };
pub(super) const CLOSED: Shape = Shape::OnePerConnection { rate: None };

/// What is asked, and the lines of the table it belongs to.
struct Line {
    shape: Shape,
    rate: Subject,
    cpu: Subject,
}

/// A contender with that many workers, and what is asked of it.
type Entry<'a> = (&'a dyn Contender, usize, [Line; 2]);

fn entries<'a>(node: &'a Node, pm2: &'a Pm2) -> [Entry<'a>; 4] {
    let line = |shape, rate, cpu| Line { shape, rate, cpu };
    let single = || [line(KEPT, RATE_KEEP_1, CPU_KEEP_1), line(CLOSED, RATE_ONE_1, CPU_ONE_1)];
    let double = || [line(KEPT, RATE_KEEP_2, CPU_KEEP_2), line(CLOSED, RATE_ONE_2, CPU_ONE_2)];
    [
        (node, 1, single()),
        (&Appctl, 1, single()),
        (&Appctl, 2, double()),
        (pm2, 2, double()),
    ]
}

pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) -> Result<()> {
    let (node, pm2) = (Node::alone(), Pm2 { handler: false });
    confined(|| {
        for nth in 0..settings.rounds {
            let mut entries = entries(&node, &pm2);
            // None of them is always the first.
            let first = nth % entries.len();
            entries.rotate_left(first);
            for (contender, workers, lines) in entries {
                book.attempt(contender.who(), "throughput", |book| {
                    contender::with(scene, contender, workers, || {
                        let servers = everything(scene, contender)?;
                        confine_servers(scene, &servers)?;
                        let mut lines = lines.iter();
                        lines.try_for_each(|line| sample(scene, settings, contender.who(), line, &servers, book))
                    })
                });
            }
        }
        Ok(())
    })
}

/// Enters requests per second, and CPU time per request.
fn sample(scene: &Scene, settings: &Settings, who: Who, line: &Line, servers: &[u32], book: &mut Book) -> Result<()> {
    let plan = plan(line.shape.clone(), CONNECTIONS);
    // What the just-in-time compiler has not seen yet is no throughput.
    Load::start(plan.clone().requests(WARM_UP.0).lasting(WARM_UP.1)).wait();
    let before = process::cpu(scene, servers)?;
    let report = Load::start(plan.lasting(settings.throughput)).wait();
    let used = process::cpu(scene, servers)? - before;
    ensure!(report.lost() == 0, "a loss without a reload: {report}");
    book.client_used(report.cpu_share());
    book.enter(line.rate, who, report.per_second());
    book.enter(line.cpu, who, used * 1e3 / float(report.counts.ok));
    // Closed connections of this sample are none of the next one's business.
    thread::sleep(CALM);
    Ok(())
}

/// Does it with this thread, and with it every client that it starts, on the last core.
pub(super) fn confined(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let everywhere = sched_getaffinity(Pid::from_raw(0))?;
    let last = thread::available_parallelism()?.get() - 1;
    ensure!(last > 0, "client and servers need a core each");
    let mut core = CpuSet::new();
    core.set(last)?;
    sched_setaffinity(Pid::from_raw(0), &core)?;
    work()?;
    sched_setaffinity(Pid::from_raw(0), &everywhere).context("cannot leave the last core")
}

/// Workers and whoever supervises them: the daemon of PM2 accepts connections for its workers.
pub(super) fn everything(scene: &Scene, contender: &dyn Contender) -> Result<Vec<u32>> {
    Ok([contender.workers(scene)?, contender.supervisors(scene)?].concat())
}

/// With all their threads.
pub(super) fn confine_servers(scene: &Scene, pids: &[u32]) -> Result<()> {
    for pid in pids {
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
