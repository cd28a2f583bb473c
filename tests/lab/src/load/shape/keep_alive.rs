//! Requests in turn on a kept connection, with or without a pause between them: the idle-close race is here.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

use super::super::lane::Lane;
use super::super::request::Template;

pub(super) async fn drive(mut lane: Lane, template: Template, think: Option<RangeInclusive<Duration>>) {
    let mut request = template.request();
    while lane.may_start(1) {
        let bucket = lane.ask(&mut request, Instant::now()).await;
        lane.breathe_after(bucket).await;
        if let Some(think) = &think {
            let pause = lane.between(*think.start(), *think.end());
            lane.idle_until(Instant::now() + pause).await;
        }
    }
    lane.hang_up();
}
