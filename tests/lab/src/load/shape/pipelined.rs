//! Two requests in one write. The second may go unanswered only after the first's response said `Connection: close`.

use tokio::time::Instant;

use super::super::counts::Bucket;
use super::super::lane::Lane;
use super::super::request::{Request, Template};

pub(super) async fn drive(mut lane: Lane, template: Template) {
    let mut pair = [template.request(), template.request()];
    let mut bytes = Vec::new();
    while lane.may_start(2) {
        bytes.clear();
        for request in &mut pair {
            lane.stamp(request);
            bytes.extend_from_slice(request.bytes());
        }
        let bucket = ask_both(&mut lane, &pair, &bytes).await;
        lane.breathe_after(bucket).await;
    }
    lane.hang_up();
}

/// How the pair ended: its worse half.
async fn ask_both(lane: &mut Lane, pair: &[Request; 2], bytes: &[u8]) -> Bucket {
    let (start, deadline) = (Instant::now(), lane.deadline());
    if let Err(bucket) = lane.deliver(bytes, deadline).await {
        for request in pair {
            lane.settle(request, bucket, start);
        }
        lane.part(bucket).await;
        return bucket;
    }
    let first = lane.answer(&pair[0], deadline).await;
    let told_close = lane.told_close();
    lane.settle(&pair[0], first, start);
    let second = match lane.answer(&pair[1], deadline).await {
        Bucket::Eof if told_close => Bucket::Declined,
        bucket => bucket,
    };
    lane.settle(&pair[1], second, start);
    let worse = if first == Bucket::Ok { second } else { first };
    lane.part(worse).await;
    worse
}
