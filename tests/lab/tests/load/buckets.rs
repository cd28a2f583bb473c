//! One test per bucket: a server with exactly that fault, and the client's word for it.

use std::time::Duration;

use appctl_lab::load::{Bucket, Counts, Load, Plan, Report, Shape, Target};

use crate::network::private;
use crate::server::{self, answer, closing, respond, serve, twisted};

pub(crate) const ONE: Shape = Shape::OnePerConnection { rate: None };
pub(crate) const KEPT: Shape = Shape::KeepAlive { body: 0, think: None };

/// Ten requests on one connection at a time.
pub(crate) fn ten(target: Target, shape: Shape) -> Report {
    let plan = Plan::new(target, shape)
        .connections(1)
        .requests(10)
        .timeout(Duration::from_millis(300));
    Load::start(plan).wait()
}

#[test]
fn a_good_server_gets_ok_only() {
    let report = private(|| ten(server::good(), ONE));
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
    assert_eq!(
        (report.lost(), report.connections, report.told_close),
        (0, 10, 10),
        "{report}"
    );
    assert_eq!(report.pids.into_iter().collect::<Vec<_>>(), [(7, 10)]);
    assert_eq!(report.releases.into_iter().collect::<Vec<_>>(), [("r1".to_owned(), 10)]);
}

#[test]
fn a_good_server_that_keeps_connections_needs_one() {
    for body in [0, 21, 100_000] {
        let report = private(|| ten(server::good(), Shape::KeepAlive { body, think: None }));
        assert_eq!(report.counts, Counts::only(Bucket::Ok, 10), "{report}");
        assert_eq!(
            (report.connections, report.told_close, report.idle_fins),
            (1, 0, 0),
            "{report}"
        );
    }
}

#[test]
fn reset_is_a_rst_instead_of_a_response() {
    for shape in [ONE, KEPT] {
        let target = || {
            serve(|mut peer| async move {
                peer.asked().await;
                peer.reset();
            })
        };
        let report = private(|| ten(target(), shape));
        assert_eq!(report.counts, Counts::only(Bucket::Reset, 10), "{report}");
    }
}

#[test]
fn reset_is_a_rst_right_after_accept() {
    let report = private(|| ten(serve(|peer| async { peer.reset() }), ONE));
    assert_eq!(report.counts, Counts::only(Bucket::Reset, 10), "{report}");
}

#[test]
fn eof_is_a_fin_instead_of_a_response() {
    let target = || {
        serve(|mut peer| async move {
            peer.asked().await;
        })
    };
    let report = private(|| ten(target(), ONE));
    assert_eq!(report.counts, Counts::only(Bucket::Eof, 10), "{report}");
}

#[test]
fn truncated_is_a_fin_inside_head_or_body() {
    for missing in [1, 10, 40] {
        let target = || {
            twisted(move |asked, _| {
                let whole = answer(asked);
                Some(whole[..whole.len() - missing].to_owned())
            })
        };
        let report = private(|| ten(target(), ONE));
        assert_eq!(report.counts, Counts::only(Bucket::Truncated, 10), "{report}");
    }
}

#[test]
fn truncated_is_a_rst_inside_the_body() {
    let target = || {
        serve(|mut peer| async move {
            let Some(asked) = peer.asked().await else { return };
            let whole = answer(&asked);
            peer.say(&whole[..whole.len() - 1]).await;
            peer.reset();
        })
    };
    let report = private(|| ten(target(), ONE));
    assert_eq!(report.counts, Counts::only(Bucket::Truncated, 10), "{report}");
}

#[test]
fn timeout_is_a_server_that_hangs() {
    let target = || {
        serve(|mut peer| async move {
            let Some(asked) = peer.asked().await else { return };
            peer.say(&answer(&asked)[..40]).await;
            peer.asked().await;
        })
    };
    let report = private(|| ten(target(), ONE));
    assert_eq!(report.counts, Counts::only(Bucket::Timeout, 10), "{report}");
}

#[test]
fn server_error_is_any_complete_5xx() {
    for status in [
        "500 Internal Server Error",
        "503 Service Unavailable",
        "502 Bad Gateway",
    ] {
        let target = || twisted(move |asked, _| Some(respond(status, &asked.id, "sorry")));
        let report = private(|| ten(target(), ONE));
        assert_eq!(report.counts, Counts::only(Bucket::ServerError, 10), "{report}");
    }
}

#[test]
fn wrong_body_is_another_id_another_body_another_status_or_no_http() {
    let twists: [fn(&str) -> String; 6] = [
        |id| respond("200 OK", "somebody-else", &format!("{id}\n")),
        |id| respond("200 OK", "", &format!("{id}\n")),
        |id| respond("200 OK", id, "another body"),
        |id| respond("200 OK", id, ""),
        |id| respond("404 Not Found", id, &format!("{id}\n")),
        |id| format!("{id}\n"),
    ];
    for twist in twists {
        let report = private(|| ten(twisted(move |asked, _| Some(twist(&asked.id))), ONE));
        assert_eq!(report.counts, Counts::only(Bucket::WrongBody, 10), "{report}");
    }
}

#[test]
fn wrong_body_is_a_post_that_comes_back_changed() {
    let target = || {
        twisted(|asked, _| {
            let mut body = String::from_utf8(asked.body.clone()).unwrap();
            body.replace_range(body.len() - 1.., "?");
            Some(respond("200 OK", &asked.id, &body))
        })
    };
    let report = private(|| {
        ten(
            target(),
            Shape::KeepAlive {
                body: 16_256,
                think: None,
            },
        )
    });
    assert_eq!(report.counts, Counts::only(Bucket::WrongBody, 10), "{report}");
}

#[test]
fn duplicate_is_an_id_that_was_answered_before() {
    let first = std::sync::OnceLock::new();
    let target = || {
        twisted(move |asked, _| {
            let id = first.get_or_init(|| asked.id.clone());
            Some(closing(&respond("200 OK", id, &format!("{id}\n"))))
        })
    };
    let report = private(|| ten(target(), ONE));
    assert_eq!(
        report.counts,
        Counts::only(Bucket::Ok, 1).and(Bucket::Duplicate, 9),
        "{report}"
    );
}

#[test]
fn duplicate_is_a_second_answer_to_the_same_request() {
    for shape in [ONE, KEPT] {
        let target = || twisted(|asked, _| Some(answer(asked).repeat(2)));
        let report = private(|| ten(target(), shape));
        assert_eq!(
            (report.counts.ok, report.counts.duplicate, report.lost()),
            (10, 10, 10),
            "{report}"
        );
    }
}
