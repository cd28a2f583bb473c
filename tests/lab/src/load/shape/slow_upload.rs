//! A body that arrives in pieces, so that its request is half read when the instance is told to stop.

use std::time::Duration;

use tokio::time::Instant;

use super::super::counts::Bucket;
use super::super::lane::Lane;
use super::super::request::{Request, Template};

pub(super) async fn drive(mut lane: Lane, template: Template, piece: usize, every: Duration) {
    let mut request = template.request();
    while lane.may_start(1) {
        lane.stamp(&mut request);
        let (start, deadline) = (Instant::now(), lane.deadline());
        let (bucket, whole) = match upload(&mut lane, &request, deadline, piece, every).await {
            Ok(whole) => (lane.answer(&request, deadline).await, whole),
            Err(bucket) => (bucket, false),
        };
        lane.settle(&request, bucket, start);
        lane.part(bucket).await;
        if !whole {
            lane.hang_up();
        }
        lane.breathe_after(bucket).await;
    }
    lane.hang_up();
}

/// Writes the head and the pieces; false when the other side spoke or left before the last one.
async fn upload(
    lane: &mut Lane,
    request: &Request,
    deadline: Instant,
    piece: usize,
    every: Duration,
) -> Result<bool, Bucket> {
    let (head, body) = request.bytes().split_at(request.body_start());
    lane.deliver(head, deadline).await?;
    for (number, piece) in body.chunks(piece).enumerate() {
        if number > 0 && lane.disturbed_before(deadline.min(Instant::now() + every)).await {
            return Ok(false);
        }
        lane.write(piece, deadline).await?;
    }
    Ok(true)
}
