//! `kill -9` of one of four workers: how long until another one listens in its place, and what is lost meanwhile.

use std::thread;

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Plan;

use super::{CALM, KEEP_ALIVE, ONE_PER_CONNECTION, losses, plan, running};
use crate::asking;
use crate::book::Book;
use crate::book::subject::{KILL_KEEP, KILL_ONE, KILL_TIME};
use crate::contender::{self, Appctl, Contender, Pm2};
use crate::scene::Scene;
use crate::settings::Settings;

const WORKERS: usize = 4;

/// A signal handler plays no part here.
pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) {
    let contenders: [&dyn Contender; 2] = [&Pm2 { handler: false }, &Appctl];
    let loads = [
        None,
        Some((KILL_ONE, plan(ONE_PER_CONNECTION, 32))),
        Some((KILL_KEEP, plan(KEEP_ALIVE, 64))),
    ];
    for load in loads {
        for contender in contenders {
            book.attempt(contender.who(), "kill -9", |book| {
                contender::with(scene, contender, WORKERS, || {
                    (0..settings.kills).try_for_each(|nth| match &load {
                        None => unwatched(scene, contender, nth, book),
                        Some((subject, plan)) => {
                            let lost = watched(scene, contender, nth, plan)?;
                            book.enter(*subject, contender.who(), lost);
                            Ok(())
                        }
                    })
                })
            });
        }
    }
}

fn unwatched(scene: &Scene, contender: &dyn Contender, nth: usize, book: &mut Book) -> Result<()> {
    let took = kill(scene, contender, nth)?;
    book.enter(KILL_TIME, contender.who(), took);
    Ok(())
}

fn watched(scene: &Scene, contender: &dyn Contender, nth: usize, plan: &Plan) -> Result<f64> {
    let load = running(plan.clone())?;
    kill(scene, contender, nth)?;
    thread::sleep(CALM);
    losses(load)
}

/// Kills the `nth` worker. Milliseconds from the signal until the new one listens, by the clock both read.
fn kill(scene: &Scene, contender: &dyn Contender, nth: usize) -> Result<f64> {
    let before = contender.workers(scene)?;
    ensure!(before.len() == WORKERS, "{} workers before the kill", before.len());
    let victim = before.get(nth % WORKERS).context("a worker to kill")?;
    let now = scene.run(&["sh", "-c", "date +%s%N && kill -9 \"$0\"", &victim.to_string()])?;
    let killed = now.trim().parse::<f64>()? / 1e6;
    let (_, since) = asking::until_another_answers(&before)?;
    Ok(since - killed)
}
