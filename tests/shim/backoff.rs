//! Crashes in a row, over several shims: the test keeps the record for them, as systemd's fd store would.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{Lab, shim_path};
use crate::running::Shim;

/// One more shim, with what the one before left.
fn next(options: &str, record: Option<&File>, argv: &[&str]) -> Shim {
    let lab = Lab::new(options);
    let lab = match record {
        Some(record) => lab.pass(record.try_clone().expect("a copy"), "backoff"),
        None => lab,
    };
    lab.start(argv)
}

#[test]
fn the_first_restart_is_immediate_then_the_wait_doubles_and_the_unit_stays_patient() {
    let options = "--backoff-ms=100,300,60000 --ready-timeout-ms=1000";
    let mut first = next(options, None, &["sh", "-c", "exit 3"]);
    assert_eq!(first.exit_code(), Some(3));
    let record = first.take_stored();
    for (crashes, wait) in [(1, 0), (2, 100), (3, 200), (4, 300), (5, 300)] {
        let start = Instant::now();
        let mut shim = next(options, Some(&record), &["sh", "-c", "exit 3"]);
        assert_eq!(shim.exit_code(), Some(3));
        assert!(
            start.elapsed() >= Duration::from_millis(wait),
            "{crashes} crashes: {:?}",
            start.elapsed()
        );
        if wait == 0 {
            assert!(!shim.seen().iter().any(|line| line.contains("backing-off")));
            continue;
        }
        shim.notified(&format!("EXTEND_TIMEOUT_USEC={}", (wait + 1_000 + 10_000) * 1_000));
        let status = shim.notified("STATUS=backing-off");
        assert!(status.starts_with(&format!(
            "STATUS=backing-off; crashes {crashes}; exited with status 3 before"
        )));
        assert!(status.ends_with(&format!("next start in {wait} ms")), "{status}");
        assert!(!shim.seen().contains(&"FDSTORE=1".to_owned()), "systemd has it already");
    }
}

#[test]
fn a_stop_during_the_wait_works_at_once_and_forgets_the_crashes() {
    let options = "--backoff-ms=600000,600000,600000";
    let mut first = next(options, None, &["sh", "-c", "exit 3"]);
    first.ended();
    let record = first.take_stored();
    next(options, Some(&record), &["sh", "-c", "exit 3"]).ended();
    let mut waiting = next(options, Some(&record), &["sh", "-c", "echo started"]);
    waiting.notified("STATUS=backing-off; crashes 2");
    assert_eq!(waiting.stop().code(), Some(0));
    assert_eq!(
        (waiting.sequence(), waiting.stdout()),
        (vec!["STOPPING=1".to_owned()], String::new())
    );
    let mut fresh = next(options, Some(&record), &["sleep", "1000"]);
    fresh.notified("STATUS=starting; pid");
    assert!(fresh.seen().iter().any(|line| line.ends_with("; crashes 0")));
    fresh.stop();
}

#[test]
fn a_shim_that_was_killed_counts_as_a_crash() {
    let first = next("", None, &["sleep", "1000"]);
    first.at_rest();
    let record = first.take_stored();
    drop(first);
    let mut second = next("", Some(&record), &["sleep", "1000"]);
    let status = second.notified("STATUS=starting; pid");
    assert!(status.ends_with("; crashes 1; the shim was killed"), "{status}");
    second.stop();
}

#[test]
fn crashes_are_forgotten_after_a_stable_time() {
    let options = "--backoff-ms=100,100,50 --ready=started --started-after-ms=1";
    let mut first = next(options, None, &["sh", "-c", "exit 3"]);
    first.ended();
    let record = first.take_stored();
    let mut stable = next(options, Some(&record), &["sleep", "1000"]);
    let app = stable.at_rest();
    stable.notified("READY=1");
    let ready = Instant::now();
    crate::harness::eventually("a stable time", || {
        (ready.elapsed() > Duration::from_millis(120)).then_some(())
    });
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(app), Signal::SIGKILL).expect("a live app");
    stable.ended();
    assert!(
        stable
            .notified("STATUS=failed")
            .contains("; crashes 1; was killed by SIGKILL")
    );
}

#[test]
fn a_record_that_nobody_wrote_is_a_clean_one() {
    let mut junk = tempfile::tempfile().expect("a file");
    std::io::Write::write_all(&mut junk, &[0xff; 600]).expect("written");
    let mut shim = next("", Some(&junk), &["sh", "-c", "exit 3"]);
    assert_eq!(shim.exit_code(), Some(3));
    assert!(shim.notified("STATUS=failed").contains("; crashes 1; "));
}

/// What the command says, and after how long.
fn cooldown(code: &str, status: &str) -> (String, Duration) {
    let start = Instant::now();
    let run = Command::new(shim_path())
        .args(["cooldown", "echo", "once", "more"])
        .env("MONITOR_EXIT_CODE", code)
        .env("MONITOR_EXIT_STATUS", status)
        .output()
        .expect("the shim starts");
    assert!(run.status.success());
    (String::from_utf8(run.stdout).expect("text"), start.elapsed())
}

#[test]
fn a_start_that_systemd_could_not_make_is_repeated_but_not_at_once() {
    let (said, waited) = cooldown("exited", "226");
    assert!(said == "once more\n" && waited >= Duration::from_secs(1));
    for (code, status) in [("exited", "203"), ("exited", "1"), ("killed", "KILL"), ("", "")] {
        assert_eq!(cooldown(code, status).0, "", "{code} {status}");
    }
}
