//! A client that takes a large response in small pieces, so that much of it is still to be sent when the instance is told
//! to stop.

use tokio::time::Instant;

use super::super::connection::Pace;
use super::super::lane::Lane;
use super::super::request::Template;

pub(super) fn path(body: usize) -> String {
    format!("/large?bytes={body}")
}

pub(super) async fn drive(mut lane: Lane, template: Template, pace: Pace) {
    let mut request = template.request();
    lane.read_slowly(pace);
    while lane.may_start(1) {
        let bucket = lane.ask(&mut request, Instant::now()).await;
        lane.breathe_after(bucket).await;
    }
    lane.hang_up();
}
