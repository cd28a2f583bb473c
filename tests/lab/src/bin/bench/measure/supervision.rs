//! What supervision of four workers costs when nothing happens: memory, the time of a listing, CPU.

use anyhow::Result;
use appctl_lab::load::Load;

use super::{CALM, KEEP_ALIVE, idle, listing, plan};
use crate::book::Book;
use crate::book::subject::{ANONYMOUS, PSS};
use crate::contender::{self, Appctl, Contender, Pm2};
use crate::process;
use crate::scene::Scene;
use crate::settings::Settings;

const WORKERS: usize = 4;

pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) {
    let contenders: [&dyn Contender; 2] = [&Pm2 { handler: false }, &Appctl];
    for contender in contenders {
        book.attempt(contender.who(), "supervision", |book| {
            contender::with(scene, contender, WORKERS, || {
                // What has never done anything has not needed its memory yet.
                contender.reload(scene)?;
                Load::start(plan(KEEP_ALIVE, 64).lasting(CALM)).wait();
                memory(scene, contender, book)?;
                listing::measure(scene, settings, contender, book)?;
                idle::measure(scene, settings, contender, book)
            })
        });
    }
}

fn memory(scene: &Scene, contender: &dyn Contender, book: &mut Book) -> Result<()> {
    let memory = process::memory(scene, &contender.supervisors(scene)?)?;
    book.enter(PSS, contender.who(), memory.pss);
    book.enter(ANONYMOUS, contender.who(), memory.anonymous);
    Ok(())
}
