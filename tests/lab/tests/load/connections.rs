//! What happens to connections between requests: what is the server's right, and what loses a request.

use std::time::Duration;

use appctl_lab::load::{Bucket, Counts, Load, Plan, Report, Shape, Target};

use crate::network::private;
use crate::server::{Peer, answer, closing, respond, serve};

/// Ten requests on one kept connection, a pause of 20 ms after each.
fn with_pauses(target: Target) -> Report {
    let pause = Duration::from_millis(20);
    let shape = Shape::KeepAlive {
        body: 0,
        think: Some(pause..=pause),
    };
    Load::start(
        Plan::new(target, shape)
            .connections(1)
            .requests(10)
            .timeout(Duration::from_millis(500)),
    )
    .wait()
}

/// Answers one request of a connection; true when there was one.
async fn answer_one(peer: &mut Peer) -> bool {
    let asked = peer.asked().await;
    if let Some(asked) = &asked {
        peer.say(respond("200 OK", &asked.id, &format!("{}\n", asked.id))).await;
    }
    asked.is_some()
}

#[test]
fn an_announced_close_costs_nothing() {
    let target = || {
        serve(|mut peer| async move {
            let Some(asked) = peer.asked().await else { return };
            peer.say(closing(&answer(&asked))).await;
        })
    };
    let report = private(|| with_pauses(target()));
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
    assert_eq!(
        (report.told_close, report.connections, report.idle_fins),
        (10, 10, 0),
        "{report}"
    );
}

#[test]
fn a_fin_while_idle_costs_nothing_and_is_counted() {
    let report = private(|| with_pauses(serve(|mut peer| async move { _ = answer_one(&mut peer).await })));
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
    assert!(
        report.idle_fins >= 9 && report.connections == 10 && report.idle_rsts == 0,
        "{report}"
    );
}

#[test]
fn a_fin_that_arrived_before_the_write_is_never_a_loss_even_without_a_pause() {
    // The FIN is in the kernel before the response is read: both are sent before the client wakes up.
    let target = || serve(|mut peer| async move { _ = answer_one(&mut peer).await });
    let plan = |target| {
        Plan::new(target, Shape::KeepAlive { body: 0, think: None })
            .connections(1)
            .requests(200)
    };
    let report = private(|| {
        let report = Load::start(plan(target())).wait();
        assert_eq!(report.counts.total(), 200, "{report}");
        report
    });
    // What is lost here was written in the instant before the FIN: an end without a response, and nothing else.
    assert_eq!(
        report.counts.ok + report.counts.eof + report.counts.reset,
        200,
        "{report}"
    );
    assert!(report.idle_fins > 0, "{report}");
}

#[test]
fn a_rst_while_idle_is_counted_apart() {
    let target = || {
        serve(|mut peer| async move {
            if answer_one(&mut peer).await {
                peer.reset();
            }
        })
    };
    let report = private(|| with_pauses(target()));
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
    assert!(report.idle_rsts >= 9 && report.idle_fins == 0, "{report}");
}

#[test]
fn a_request_on_a_kept_connection_that_meets_a_fin_is_lost() {
    let target = || {
        serve(|mut peer| async move {
            answer_one(&mut peer).await;
            // The second request is read, so the end is a FIN and no RST.
            peer.asked().await;
        })
    };
    let report = private(|| with_pauses(target()));
    assert_eq!(
        report.counts,
        Counts::only(Bucket::Ok, 5).and(Bucket::Eof, 5),
        "{report}"
    );
    let loss = &report.losses[0];
    assert!(loss.answered_before == 1 && loss.idle >= 0.02, "{report}");
}

#[test]
fn a_request_on_a_kept_connection_that_meets_a_rst_is_lost() {
    let target = || {
        serve(|mut peer| async move {
            answer_one(&mut peer).await;
            peer.asked().await;
            peer.reset();
        })
    };
    let report = private(|| with_pauses(target()));
    assert_eq!(
        report.counts,
        Counts::only(Bucket::Ok, 5).and(Bucket::Reset, 5),
        "{report}"
    );
}

#[test]
fn an_answer_given_before_the_request_was_whole_counts_although_a_rst_follows() {
    let target = || {
        serve(|mut peer| async move {
            // Closing with unread bytes sends a RST behind the answer, in the middle of the client's write.
            let _ = peer.stream.readable().await;
            peer.say(closing(&respond("503 Service Unavailable", "", "busy"))).await;
        })
    };
    let shape = Shape::KeepAlive {
        body: 8 << 20,
        think: None,
    };
    let report = private(|| Load::start(Plan::new(target(), shape).connections(1).requests(50)).wait());
    assert_eq!(report.counts, Counts::only(Bucket::ServerError, 50), "{report}");
}

#[test]
fn a_client_that_closes_first_does_not_run_out_of_ports() {
    // A server that ignores `Connection: close` leaves the closing, and with it the TIME_WAIT, to the client.
    let target = || serve(|mut peer| async move { while answer_one(&mut peer).await {} });
    private(|| {
        // A hundred ports per source address: one address alone would last for a hundred connections.
        std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40099").unwrap();
        std::fs::write("/proc/sys/net/ipv4/tcp_tw_reuse", "0").unwrap();
        let plan = Plan::new(target(), Shape::OnePerConnection { rate: None }).requests(5_000);
        let report = Load::start(plan).wait();
        assert_eq!(report.counts, Counts::only(Bucket::Ok, 5_000), "{report}");
    });
}
