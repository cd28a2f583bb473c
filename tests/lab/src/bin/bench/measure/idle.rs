//! CPU time of whoever supervises four workers that have nothing to do. systemd's own is told as well: the shims report
//! to it, and PM2's daemon does not.

use std::thread;
use std::time::Instant;

use anyhow::Result;

use crate::book::Book;
use crate::book::subject::{IDLE, IDLE_PID1};
use crate::contender::Contender;
use crate::process;
use crate::scene::Scene;
use crate::settings::Settings;

const SYSTEMD: [u32; 1] = [1];
const MINUTE: f64 = 60.0;

pub(super) fn measure(scene: &Scene, settings: &Settings, contender: &dyn Contender, book: &mut Book) -> Result<()> {
    let supervisors = contender.supervisors(scene)?;
    let used = || Ok::<_, anyhow::Error>((process::cpu(scene, &supervisors)?, process::cpu(scene, &SYSTEMD)?));
    let (before, start) = (used()?, Instant::now());
    thread::sleep(settings.idle);
    let (after, seconds) = (used()?, start.elapsed().as_secs_f64());
    book.enter(IDLE, contender.who(), (after.0 - before.0) * MINUTE / seconds);
    book.enter(IDLE_PID1, contender.who(), (after.1 - before.1) * MINUTE / seconds);
    Ok(())
}
