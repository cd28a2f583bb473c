//! How a run begins and ends, and what is refused before it begins.

use std::time::{Duration, Instant};

use appctl_lab::load::{self, Bucket, Counts, Load, Plan, Shape, Target};

use crate::network::private;
use crate::server::{self, answer, closing, serve};

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn a_stopped_load_waits_for_the_requests_under_way() {
    private(|| {
        let target = serve(|mut peer| async move {
            while let Some(asked) = peer.asked().await {
                tokio::time::sleep(20 * MILLI).await;
                peer.say(answer(&asked)).await;
            }
        });
        let load = Load::start(Plan::new(target, Shape::KeepAlive { body: 0, think: None }).connections(8));
        let deadline = Instant::now() + Duration::from_secs(10);
        while load.answered() < 20 && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let report = load.stop();
        assert!(report.counts.ok >= 20, "{report}");
        assert_eq!(report.lost(), 0, "{report}");
    });
}

#[test]
fn a_run_can_be_awaited() {
    let report = private(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let plan = Plan::new(server::good(), Shape::OnePerConnection { rate: None }).requests(50);
        runtime.block_on(load::run(plan))
    });
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 50), "{report}");
}

#[test]
fn a_plan_out_of_bounds_is_refused_before_anything_is_sent() {
    let target = || Target::Tcp("127.0.0.1:9".parse().unwrap());
    let plan = || Plan::new(target(), Shape::Pipelined);
    let upload = Shape::SlowUpload {
        body: 10_000,
        piece: 1,
        every: 100 * MILLI,
    };
    let refused = [
        Plan::new(Target::Tcp("192.0.2.1:80".parse().unwrap()), Shape::Pipelined),
        plan().connections(0),
        plan().connections(1_000_000),
        plan().lasting(Duration::from_hours(24)),
        plan().requests(u64::MAX),
        plan().timeout(Duration::ZERO),
        Plan {
            path: "/a b".into(),
            ..plan()
        },
        Plan::new(target(), Shape::KeepAlive { body: 3, think: None }),
        Plan::new(target(), Shape::OnePerConnection { rate: Some(f64::NAN) }),
        Plan::new(target(), upload),
        Plan::new(
            target(),
            Shape::SlowResponse {
                handler: Duration::from_mins(1),
            },
        ),
    ];
    assert!(plan().check().is_ok());
    for plan in refused {
        assert!(plan.check().is_err(), "{plan:?}");
    }
}

#[test]
fn a_unix_socket_is_served_like_a_port() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 1024];
            let count = std::io::Read::read(&mut stream, &mut bytes).unwrap();
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            let id = text
                .lines()
                .find_map(|line| line.strip_prefix("x-request-id: "))
                .unwrap();
            let response = closing(&server::respond("200 OK", id, &format!("{id}\n")));
            std::io::Write::write_all(&mut stream, response.as_bytes()).unwrap();
        }
    });
    let plan = Plan::new(Target::Unix(path), Shape::OnePerConnection { rate: None })
        .connections(4)
        .requests(100);
    let report = Load::start(plan).wait();
    assert_eq!(report.counts, Counts::only(Bucket::Ok, 100), "{report}");
}
