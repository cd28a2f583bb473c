//! What the generator writes is understood, and nothing else is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{Backoff, EnvFile, Options, Ready, RunArgs, Streams, Usage, read_env_file, write_env_file};

fn read(line: &str) -> Result<RunArgs, Usage> {
    RunArgs::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
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
    assert!(args.wants_ipc());
    let options = args.options;
    let (path, status) = ("/up".to_owned(), 204);
    assert_eq!(options.ready, Ready::Http { path, status });
    assert_eq!((options.streams, options.spread), (Streams::Cut, 6));
    assert_eq!(options.increment.as_deref(), Some("METRICS_PORT"));
    assert_eq!(options.watchdog, Some(4_000));
    assert_eq!((options.stop_signal, options.stop_timeout, options.linger), (2, 9, 7));
    let pauses = Backoff {
        delay: 1,
        longest: 2,
        reset_after: 3,
    };
    assert_eq!(options.backoff, pauses);
    assert_eq!(options.adapter.as_deref(), Some(Path::new("/a.cjs")));
    assert_eq!(options.directory.as_deref(), Some(Path::new("/srv/x")));
    assert_eq!(options.env_files, [Path::new("/a.env"), Path::new("/b.env")]);
    assert_eq!((options.sockets, options.backlog, options.ready_timeout), (2, 8, 5));
}

#[test]
fn a_proof_may_stand_behind_what_belongs_to_it() {
    let ready = |line: &str| read(line).expect("a good line").options.ready;
    let started = |after| Ready::Started { after };
    assert_eq!(ready("-- a 1 true"), started(1_000));
    assert_eq!(ready("--started-after-ms=7 --ready=started -- a 1 true"), started(7));
    assert_eq!(ready("--started-after-ms=7 --ready=notify -- a 1 true"), Ready::Notify);
    let (path, status) = ("/up".to_owned(), 200);
    let http = ready("--ready-path=/up --adapter=/x --ready=http -- a 1 true");
    assert_eq!(http, Ready::Http { path, status });
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
        "stop-signal=0",
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

fn any_path() -> impl Strategy<Value = PathBuf> {
    any::<String>().prop_map(|rest| PathBuf::from(format!("/{rest}")))
}

fn any_env_file() -> impl Strategy<Value = EnvFile> {
    (any_path(), any::<bool>()).prop_map(|(path, optional)| EnvFile { path, optional })
}

fn any_proof() -> impl Strategy<Value = Ready> {
    prop_oneof![
        Just(Ready::Notify),
        Just(Ready::Listening),
        Just(Ready::Message),
        (any_path(), any::<u16>()).prop_map(|(path, status)| Ready::Http {
            path: path.to_string_lossy().into_owned(),
            status,
        }),
        any::<u64>().prop_map(|after| Ready::Started { after }),
    ]
}

prop_compose! {
    fn any_stop()(
        stop_signal in 1..=31,
        (stop_timeout, linger, spread) in any::<(u64, u64, u64)>(),
        streams in prop::sample::select(vec![Streams::Close, Streams::Wait, Streams::Cut]),
        stop_message in any::<bool>(),
    ) -> Options {
        Options { stop_signal, stop_timeout, stop_message, linger, streams, spread, ..Options::default() }
    }
}

prop_compose! {
    fn any_options()(
        stop in any_stop(),
        ready in any_proof(),
        (ready_timeout, sockets, backlog) in any::<(u64, usize, u32)>(),
        (delay, longest, reset_after) in any::<(u64, u64, u64)>(),
        increment in prop::option::of("\\PC{1,9}"),
        watchdog in any::<Option<u64>>(),
        (adapter, directory) in (prop::option::of(any_path()), prop::option::of(any_path())),
        journal in any_path(),
        env_files in prop::collection::vec(any_path(), 0..3),
        read_env_files in prop::collection::vec(any_env_file(), 0..3),
    ) -> Options {
        Options {
            ready, ready_timeout, increment, backoff: Backoff { delay, longest, reset_after }, watchdog, adapter, sockets,
            backlog, directory, journal, env_files, read_env_files, ..stop
        }
    }
}

proptest! {
    #[test]
    fn what_the_generator_writes_is_read_back(options in any_options()) {
        let words = options.to_argv().into_iter().map(OsString::from);
        prop_assert_eq!(Options::parse(words), Ok(options));
    }

    #[test]
    fn so_is_a_file_for_a_command_that_is_no_instance(file in any_env_file()) {
        let option = write_env_file(&file);
        prop_assert_eq!(option.strip_prefix("--read-env-file=").and_then(read_env_file), Some(file));
    }
}

#[test]
fn what_is_not_said_is_the_default() {
    let said = Options::default().to_argv().join(" ");
    let expected = "--ready=started --started-after-ms=1000 --ready-timeout-ms=60000 --stop-signal=15 \
        --stop-timeout-ms=30000 --linger-ms=2000 --backoff-ms=100,30000,10000";
    assert_eq!(said, expected);
    assert_eq!(Options::parse(std::iter::empty()), Ok(Options::default()));
}
