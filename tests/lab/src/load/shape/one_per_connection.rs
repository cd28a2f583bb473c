//! A connection for each request, closed by the server: what a restart must not refuse.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::lane::Lane;
use super::super::request::Template;
use super::Shape;

/// When the requests of an open loop are due, over all lanes.
#[derive(Debug)]
pub(super) struct Arrivals {
    start: Instant,
    every: Duration,
    next: Cell<u32>,
}

impl Arrivals {
    pub(super) fn new(shape: &Shape) -> Self {
        let every = match shape {
            Shape::OnePerConnection { rate: Some(rate) } => Duration::from_secs_f64(1.0 / rate),
            _ => Duration::ZERO,
        };
        Self {
            start: Instant::now(),
            every,
            next: Cell::new(0),
        }
    }

    fn next(&self) -> Instant {
        let number = self.next.replace(self.next.get() + 1);
        self.start + self.every * number
    }
}

/// Each request follows the end of the one before.
pub(super) async fn closed(mut lane: Lane, template: Template) {
    let mut request = template.request();
    while lane.may_start(1) {
        let bucket = lane.ask(&mut request, Instant::now()).await;
        lane.hang_up();
        lane.breathe_after(bucket).await;
    }
}

/// Requests start when they are due; while all lanes are busy they are late, and their latency says so.
pub(super) async fn open(mut lane: Lane, template: Template, arrivals: Rc<Arrivals>) {
    let mut request = template.request();
    loop {
        let due = arrivals.next();
        lane.pause_until(due).await;
        if !lane.may_start(1) {
            return;
        }
        lane.ask(&mut request, due).await;
        lane.hang_up();
    }
}
