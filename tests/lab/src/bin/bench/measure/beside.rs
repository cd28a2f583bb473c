//! What our part of a worker costs per request, measured beside Node alone: both at the same time on one core, so that
//! whatever else the machine does meets both. Two processes of one and the same program differ by a tenth for as long as
//! they live, and so there are new ones in every round. Each is the first to start, and to be asked, in every other one.

use std::thread;

use anyhow::{Result, ensure};
use appctl_lab::load::{Load, Plan, Report};

use super::throughput::{CLOSED, KEPT, WARM_UP, confine_servers, confined, everything};
use super::{CALM, float, plan_on};
use crate::book::Book;
use crate::book::subject::{BESIDE_KEEP, BESIDE_ONE, Subject};
use crate::contender::{self, Appctl, Contender, Node};
use crate::process;
use crate::scene::Scene;
use crate::settings::Settings;

/// Few enough that neither has a queue.
const CONNECTIONS: usize = 8;

pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) -> Result<()> {
    let node = Node::beside();
    confined(|| {
        for nth in 0..settings.pairs {
            let mut both: [&dyn Contender; 2] = [&Appctl, &node];
            both.rotate_left(nth % 2);
            book.attempt(Appctl.who(), "beside Node alone", |book| {
                contender::with(scene, both[0], 1, || {
                    contender::with(scene, both[1], 1, || round(scene, settings, both, book))
                })
            });
        }
        Ok(())
    })
}

fn round(scene: &Scene, settings: &Settings, both: [&dyn Contender; 2], book: &mut Book) -> Result<()> {
    let mut servers = Vec::new();
    for contender in both {
        servers.push(everything(scene, contender)?);
    }
    confine_servers(scene, &servers.concat())?;
    for (subject, shape) in [(BESIDE_KEEP, KEPT), (BESIDE_ONE, CLOSED)] {
        let plans = both.map(|contender| plan_on(contender.port(), shape.clone(), CONNECTIONS));
        sample(scene, settings, subject, (both, &servers, plans), book)?;
        thread::sleep(CALM);
    }
    Ok(())
}

/// Enters CPU time per request of each.
fn sample(
    scene: &Scene,
    settings: &Settings,
    subject: Subject,
    (both, servers, plans): ([&dyn Contender; 2], &[Vec<u32>], [Plan; 2]),
    book: &mut Book,
) -> Result<()> {
    at_once(plans.clone().map(|plan| plan.requests(WARM_UP.0).lasting(WARM_UP.1)));
    let used = || {
        servers
            .iter()
            .map(|pids| process::cpu(scene, pids))
            .collect::<Result<Vec<f64>>>()
    };
    let before = used()?;
    let reports = at_once(plans.map(|plan| plan.lasting(settings.throughput)));
    let after = used()?;
    for report in &reports {
        ensure!(report.lost() == 0, "a loss without a reload: {report}");
    }
    for (at, contender) in both.into_iter().enumerate() {
        let cost = (after[at] - before[at]) * 1e3 / float(reports[at].counts.ok);
        book.enter(subject, contender.who(), cost);
    }
    Ok(())
}

fn at_once(plans: [Plan; 2]) -> [Report; 2] {
    plans.map(Load::start).map(Load::wait)
}
