//! Requests lost while all four workers are replaced, in every shape of load, and how long that takes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::load::{Plan, Shape};

use super::{CALM, KEEP_ALIVE, ONE_PER_CONNECTION, losses, milliseconds, plan, running};
use crate::asking;
use crate::book::Book;
use crate::book::subject::{LOST_KEEP, LOST_ONE, LOST_PIPE, LOST_SLOW, LOST_UPLOAD, RELOAD_IDLE, RELOAD_KEEP, Subject};
use crate::contender::{self, Contender};
use crate::scene::Scene;
use crate::settings::Settings;

const WORKERS: usize = 4;

/// Upload and response end well within the 1.6 s that PM2 gives a worker by default.
const UPLOAD: Shape = Shape::SlowUpload {
    body: 8 * 1024,
    piece: 1024,
    every: Duration::from_millis(115),
};
const RESPONSE: Shape = Shape::SlowResponse {
    handler: Duration::from_secs(1),
};

fn loads() -> [(Subject, Plan); 5] {
    [
        (LOST_ONE, plan(ONE_PER_CONNECTION, 32)),
        (LOST_KEEP, plan(KEEP_ALIVE, 64)),
        (LOST_PIPE, plan(Shape::Pipelined, 32)),
        (LOST_UPLOAD, plan(UPLOAD, 16)),
        (LOST_SLOW, plan(RESPONSE, 32)),
    ]
}

pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) {
    for _ in 0..settings.reloads {
        for contender in contender::supervised() {
            book.attempt(contender.who(), "reload", |book| {
                contender::with(scene, contender.as_ref(), WORKERS, || {
                    rounds(scene, contender.as_ref(), book)
                })
            });
        }
    }
}

fn rounds(scene: &Scene, contender: &dyn Contender, book: &mut Book) -> Result<()> {
    let who = contender.who();
    book.enter(RELOAD_IDLE, who, reload(scene, contender)?);
    for (subject, plan) in loads() {
        book.attempt(who, subject.what, |book| {
            let load = running(plan)?;
            let took = reload(scene, contender)?;
            thread::sleep(CALM);
            book.enter(subject, who, losses(load)?);
            if subject == LOST_KEEP {
                book.enter(RELOAD_KEEP, who, took);
            }
            Ok(())
        });
    }
    Ok(())
}

/// Replaces all workers; milliseconds.
fn reload(scene: &Scene, contender: &dyn Contender) -> Result<f64> {
    let before = contender.workers(scene)?;
    let start = Instant::now();
    contender.reload(scene)?;
    let took = start.elapsed();
    let after = contender.workers(scene)?;
    ensure!(
        after.len() == before.len(),
        "{} workers of {}",
        after.len(),
        before.len()
    );
    ensure!(
        after.iter().all(|pid| !before.contains(pid)),
        "not all replaced: {before:?}, {after:?}"
    );
    asking::until_all_answer(&after)?;
    Ok(milliseconds(took))
}
