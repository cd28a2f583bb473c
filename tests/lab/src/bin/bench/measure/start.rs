//! How long Node itself takes to begin and end: that much of every reload is nobody's merit or fault.

use std::time::Instant;

use super::milliseconds;
use crate::book::Book;
use crate::book::subject::{START, START_UPSTREAM, Who};
use crate::scene::Scene;
use crate::settings::Settings;

pub(super) fn measure(scene: &Scene, settings: &Settings, book: &mut Book) {
    let start = |scene: &Scene| {
        let start = Instant::now();
        scene.run(&["node", "-e", "0"])?;
        Ok(milliseconds(start.elapsed()))
    };
    for _ in 0..settings.listings {
        book.attempt(Who::Node, START.what, |book| {
            book.enter(START, Who::Node, start(scene)?);
            book.enter(START_UPSTREAM, Who::Node, scene.with_upstream_node(start)?);
            Ok(())
        });
    }
}
