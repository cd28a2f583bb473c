//! The bucket of the requests that found no listener, or no room in its queue.

use std::time::Duration;

use appctl_lab::load::{Bucket, Counts, Load, Plan, Target};

use crate::buckets::{KEPT, ONE, ten};
use crate::network::private;
use crate::server::nothing;

#[test]
fn refused_is_an_address_without_listener() {
    let report = private(|| ten(nothing(), ONE));
    assert_eq!(report.counts, Counts::only(Bucket::Refused, 10), "{report}");
    assert_eq!((report.lost(), report.losses.len()), (10, 10));
}

#[test]
fn refused_is_a_socket_file_that_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let report = ten(Target::Unix(directory.path().join("app.sock")), KEPT);
    assert_eq!(report.counts, Counts::only(Bucket::Refused, 10), "{report}");
}

#[test]
fn refused_is_a_unix_socket_with_a_full_queue() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    // Never accepts: five connections fit in its queue and wait there, the others get EAGAIN.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let socket = tokio::net::UnixSocket::new_stream().unwrap();
    socket.bind(&path).unwrap();
    let _listener = socket.listen(4).unwrap();
    let plan = Plan::new(Target::Unix(path), ONE)
        .connections(20)
        .requests(20)
        .timeout(Duration::from_millis(300));
    let report = Load::start(plan).wait();
    assert_eq!(
        report.counts,
        Counts::only(Bucket::Refused, 15).and(Bucket::Timeout, 5),
        "{report}"
    );
}
