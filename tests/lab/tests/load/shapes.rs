//! Each shape sends what its name says, and ends when it should.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use appctl_lab::load::{Bucket, Counts, Load, Plan, Shape};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::network::private;
use crate::server::{self, Asked, answer, closing, serve, twisted};

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn an_open_loop_keeps_its_rate_whatever_the_server_does() {
    let shape = Shape::OnePerConnection { rate: Some(200.0) };
    let report = private(|| Load::start(Plan::new(server::good(), shape).lasting(1000 * MILLI)).wait());
    assert_eq!(report.lost(), 0, "{report}");
    assert!((190..=201).contains(&report.counts.ok), "{report}");
}

#[test]
fn an_open_loop_counts_latency_from_when_a_request_was_due() {
    let target = || {
        serve(|mut peer| async move {
            let Some(asked) = peer.asked().await else { return };
            tokio::time::sleep(50 * MILLI).await;
            peer.say(answer(&asked)).await;
        })
    };
    // One connection can do 20 a second; of 10 requests due within 100 ms the last one is 400 ms late.
    let plan = |target| {
        Plan::new(target, Shape::OnePerConnection { rate: Some(100.0) })
            .connections(1)
            .requests(10)
    };
    let report = private(|| Load::start(plan(target())).wait());
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
    assert!(report.latency.max > 0.35, "{report}");
}

#[test]
fn two_pipelined_requests_arrive_in_one_write() {
    let pairs = std::sync::Arc::new(AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&pairs);
    let target = move || {
        serve(move |mut peer| {
            let pairs = std::sync::Arc::clone(&counted);
            async move {
                while peer.stream.readable().await.is_ok() {
                    let mut bytes = [0; 4096];
                    let Ok(count @ 1..) = peer.stream.peek(&mut bytes).await else {
                        return;
                    };
                    pairs.fetch_add(u64::from(bytes[..count].ends_with(b"\r\n\r\n")), Ordering::Relaxed);
                    for _ in 0..2 {
                        let Some(asked) = peer.asked().await else { return };
                        peer.say(answer(&asked)).await;
                    }
                }
            }
        })
    };
    let report = private(|| Load::start(Plan::new(target(), Shape::Pipelined).connections(1).requests(10)).wait());
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
    assert_eq!((pairs.load(Ordering::Relaxed), report.connections), (5, 1), "{report}");
}

#[test]
fn a_second_pipelined_request_may_go_unanswered_only_after_an_announced_close() {
    for (announced, second) in [
        (true, Counts::only(Bucket::Declined, 5)),
        (false, Counts::only(Bucket::Eof, 5)),
    ] {
        let target = || {
            serve(move |mut peer| async move {
                let Some(asked) = peer.asked().await else { return };
                let response = answer(&asked);
                peer.say(if announced { closing(&response) } else { response }).await;
                peer.asked().await;
            })
        };
        let report = private(|| Load::start(Plan::new(target(), Shape::Pipelined).connections(1).requests(10)).wait());
        assert_eq!(report.counts, second.and(Bucket::Ok, 5), "{report}");
        assert_eq!(report.lost(), if announced { 0 } else { 5 });
    }
}

#[test]
fn a_slow_upload_takes_its_time_and_is_whole() {
    let shape = Shape::SlowUpload {
        body: 1024,
        piece: 128,
        every: 20 * MILLI,
    };
    let report = private(|| Load::start(Plan::new(server::good(), shape).connections(1).requests(2)).wait());
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 2), "{report}");
    assert!(report.seconds >= 0.28, "seven pauses each: {report}");
    assert_eq!(report.connections, 1);
}

#[test]
fn a_slow_upload_cut_short_is_lost_at_once() {
    let target = || {
        serve(|mut peer| async move {
            let mut some = [0; 200];
            let _ = peer.stream.read_exact(&mut some).await;
            peer.reset();
        })
    };
    let shape = Shape::SlowUpload {
        body: 10_240,
        piece: 128,
        every: 100 * MILLI,
    };
    let report = private(|| Load::start(Plan::new(target(), shape).connections(1).requests(1)).wait());
    assert_eq!(report.counts, Counts::only(Bucket::Reset, 1), "{report}");
    assert!(
        report.seconds < 2.0,
        "the upload would have taken eight seconds: {report}"
    );
}

#[test]
fn a_slow_response_asks_the_app_to_wait() {
    let target = || twisted(|asked: &Asked, _| (asked.path != "/slow?ms=30").then(|| "HTTP/1.1 404 No\r\n\r\n".into()));
    let shape = Shape::SlowResponse { handler: 30 * MILLI };
    let report = private(|| Load::start(Plan::new(target(), shape).connections(2).requests(10)).wait());
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
}

#[test]
fn a_response_in_small_pieces_is_read_whole() {
    let target = || {
        serve(|mut peer| async move {
            while let Some(asked) = peer.asked().await {
                for byte in answer(&asked).as_bytes() {
                    let _ = peer.stream.write_all(&[*byte]).await;
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let shape = Shape::KeepAlive { body: 0, think: None };
    let report = private(|| Load::start(Plan::new(target(), shape).connections(2).requests(40)).wait());
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 40), "{report}");
}
