//! What the generator writes is understood, and nothing else is.

use std::ffi::OsString;
use std::path::Path;

use super::{Args, Usage, parse};
use crate::backoff::Policy;
use crate::machine::Proof;

fn read(line: &str) -> Result<Args, Usage> {
    parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
}

#[test]
fn takes_the_generators_line() {
    let line = "--ready=http --ready-path=/up --ready-status=204 --ready-timeout-ms=5 --stop-signal=2 \
        --stop-timeout-ms=9 --linger-ms=7 --backoff-ms=1,2,3 --adapter=/a.cjs --sockets=2 --backlog=8 \
        --directory=/srv/x --env-file=/a.env --env-file=/b.env --stop-message=yes \
        --streams=cut --spread-ms=6 --increment=METRICS_PORT --watchdog-ms=4000 -- my-app surge node --x -- y";
    let args = read(line).expect("a good line");
    assert_eq!(args.app.as_str(), "my-app");
    assert_eq!(args.instance.to_string(), "surge");
    assert_eq!(args.argv, ["node", "--x", "--", "y"]);
    assert_eq!(args.proof(), Proof::Http);
    assert!(args.wants_ipc());
    let options = args.options;
    assert_eq!((options.streams.as_str(), options.spread), ("cut", 6));
    assert_eq!(options.increment.as_deref(), Some("METRICS_PORT"));
    assert_eq!(options.watchdog, Some(4_000));
    assert_eq!((options.ready_path.as_str(), options.ready_status), ("/up", 204));
    assert_eq!(
        (options.stop_signal as i32, options.stop_timeout, options.linger),
        (2, 9, 7)
    );
    assert_eq!(
        options.backoff,
        Policy {
            delay: 1,
            longest: 2,
            reset_after: 3
        }
    );
    assert_eq!(options.adapter.as_deref(), Some(Path::new("/a.cjs")));
    assert_eq!(options.directory.as_deref(), Some(Path::new("/srv/x")));
    assert_eq!(options.env_files, [Path::new("/a.env"), Path::new("/b.env")]);
    assert_eq!((options.sockets, options.backlog, options.ready_timeout), (2, 8, 5));
}

#[test]
fn without_options_the_app_counts_as_ready_after_a_second() {
    assert_eq!(read("-- a 1 true").expect("a good line").proof(), Proof::Started(1_000));
}

#[test]
fn refuses_what_it_does_not_know() {
    for bad in ["--colour=1 -- a 1 x", "ready -- a 1 x", "--sockets -- a 1 x"] {
        assert!(matches!(read(bad), Err(Usage::Unknown(_))), "{bad}");
    }
    for bad in [
        "ready=soon",
        "sockets=-1",
        "stop-signal=99",
        "stop-signal=TERM",
        "backoff-ms=1,2",
        "adapter=x",
        "streams=later",
        "increment=",
    ] {
        let line = format!("--{bad} -- a 1 x");
        assert_eq!(read(&line), Err(Usage::Value(format!("--{bad}"))));
    }
    for bad in ["", "--", "-- a", "-- a 1", "-- A 1 x", "--backlog=1"] {
        assert_eq!(read(bad), Err(Usage::Shape), "{bad}");
    }
}

#[test]
fn names_an_instance_that_cannot_be() {
    for bad in ["0", "01", "pin", "x", "+1", "70000"] {
        assert_eq!(read(&format!("-- a {bad} x")), Err(Usage::Instance(bad.to_owned())));
    }
}

#[test]
fn refuses_a_proof_that_can_never_come() {
    assert_eq!(
        read("--ready=listening --sockets=1 -- a 1 x"),
        Err(Usage::NeedsAdapter("listening"))
    );
    assert_eq!(read("--ready=http -- a 1 x"), Err(Usage::NeedsAdapter("http")));
    assert_eq!(
        read("--ready=listening --adapter=/x -- a 1 x"),
        Err(Usage::NeedsSockets)
    );
}
