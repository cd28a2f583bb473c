//! Requests lost while all four workers are replaced, in every shape of load, and how long that takes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::load::{Plan, Shape};

use super::{CALM, KEEP_ALIVE, ONE_PER_CONNECTION, losses, milliseconds, plan, running};
use crate::asking;
use crate::book::Book;
use crate::book::subject::{
    LOST_KEEP, LOST_ONE, LOST_PIPE, LOST_SLOW, LOST_UPLOAD, RELOAD_IDLE, RELOAD_KEEP, RELOAD_UPSTREAM, Subject,
};
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

/// All but keep-alive.
fn loads() -> [(Subject, Plan); 4] {
    [
        (LOST_ONE, plan(ONE_PER_CONNECTION, 32)),
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
            book.attempt(contender.who(), RELOAD_UPSTREAM.what, |book| {
                scene.with_upstream_node(|scene| {
                    contender::with(scene, contender.as_ref(), WORKERS, || {
                        keep_alive(scene, contender.as_ref(), RELOAD_UPSTREAM, book)
                    })
                })
            });
        }
    }
}

fn rounds(scene: &Scene, contender: &dyn Contender, book: &mut Book) -> Result<()> {
    let who = contender.who();
    book.enter(RELOAD_IDLE, who, reload(scene, contender)?);
    book.attempt(who, RELOAD_KEEP.what, |book| {
        keep_alive(scene, contender, RELOAD_KEEP, book)
    });
    for (subject, plan) in loads() {
        book.attempt(who, subject.what, |book| {
            let load = running(plan)?;
            reload(scene, contender)?;
            thread::sleep(CALM);
            book.enter(subject, who, losses(load)?);
            Ok(())
        });
    }
    Ok(())
}

/// Enters what is lost, and how long it takes.
fn keep_alive(scene: &Scene, contender: &dyn Contender, time: Subject, book: &mut Book) -> Result<()> {
    let load = running(plan(KEEP_ALIVE, 64))?;
    let took = reload(scene, contender)?;
    thread::sleep(CALM);
    book.enter(LOST_KEEP, contender.who(), losses(load)?);
    book.enter(time, contender.who(), took);
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
    asking::until_all_answer(contender.port(), &after)?;
    Ok(milliseconds(took))
}
