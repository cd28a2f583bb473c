//! How long the command takes that shows how the apps are.

use std::time::Instant;

use anyhow::Result;

use super::milliseconds;
use crate::book::Book;
use crate::book::subject::LIST;
use crate::contender::Contender;
use crate::scene::Scene;
use crate::settings::Settings;

pub(super) fn measure(scene: &Scene, settings: &Settings, contender: &dyn Contender, book: &mut Book) -> Result<()> {
    for _ in 0..settings.listings {
        let start = Instant::now();
        scene.run(&contender.listing())?;
        book.enter(LIST, contender.who(), milliseconds(start.elapsed()));
    }
    Ok(())
}
