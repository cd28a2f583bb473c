//! Stopping: drain first, signal then, kill at the deadline, and the app's own end is the shim's.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::Lab;
use crate::running::Shim;

const STUBBORN: &str = "trap 'echo asked' TERM; echo armed; while :; do sleep 0.02; done";

fn serving(options: &str) -> Shim {
    let (lab, _) = Lab::new(options).with_adapter();
    let shim = lab.start(&[
        "sh",
        "-c",
        "trap 'echo asked; exit 4' TERM; echo armed; while :; do sleep 0.02; done",
    ]);
    shim.printed("armed");
    shim
}

#[test]
fn the_apps_signal_waits_for_the_drain() {
    let mut shim = serving("--ready=listening --linger-ms=1500 --stop-timeout-ms=20000");
    let mut npm = shim.adapter();
    let mut node = shim.adapter();
    node.say("listening x");
    shim.notified("READY=1");
    shim.signal(Signal::SIGTERM);
    assert_eq!(node.hears(), "stop 1500 18000");
    assert_eq!(npm.hears(), "stop 1500 18000");
    shim.notified("STOPPING=1");
    node.say("stopped");
    node.say("beat 1 2 3");
    assert_eq!(shim.stdout(), "armed\n", "not asked while it drains");
    node.say("drained 12 2");
    assert_eq!(shim.exit_code(), Some(4));
    shim.printed("asked");
    for line in ["12 requests were waited for", "2 requests were cut"] {
        assert!(shim.stderr().contains(line), "{}", shim.stderr());
    }
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn an_adapter_that_hangs_up_is_not_waited_for() {
    let mut shim = serving("--ready=listening");
    let mut node = shim.adapter();
    node.say("listening x");
    shim.notified("READY=1");
    shim.signal(Signal::SIGTERM);
    node.hears();
    drop(node);
    assert_eq!(shim.exit_code(), Some(4));
}

#[test]
fn a_drain_that_never_ends_is_cut_short_in_time_for_the_apps_own_handler() {
    let mut shim = serving("--ready=listening --stop-timeout-ms=2000");
    let mut node = shim.adapter();
    node.say("listening x");
    node.say("beat 1 5 9");
    shim.notified("READY=1");
    let asked = Instant::now();
    assert_eq!(shim.stop().code(), Some(4));
    assert!(asked.elapsed() >= Duration::from_millis(1_500));
    assert_eq!(node.hears(), "stop 1500 1500");
    assert!(
        shim.stderr().contains("drain deadline: 5 requests still in flight"),
        "{}",
        shim.stderr()
    );
}

#[test]
fn an_app_that_ignores_the_signal_is_killed_at_the_deadline_with_its_whole_group() {
    let script = format!("sh -c 'trap \"\" TERM; while :; do sleep 0.02; done' & echo child $!; {STUBBORN}");
    let mut shim = Lab::new("--stop-timeout-ms=300").start(&["sh", "-c", &script]);
    shim.printed("armed");
    let asked = Instant::now();
    shim.signal(Signal::SIGTERM);
    assert_eq!(shim.exit_signal(), Some(Signal::SIGKILL as i32));
    assert!(asked.elapsed() >= Duration::from_millis(300));
    let out = shim.stdout();
    let child = out
        .lines()
        .find_map(|line| line.strip_prefix("child "))
        .expect("a pid")
        .to_owned();
    crate::harness::eventually("the whole group is gone", || {
        (!std::path::Path::new("/proc").join(&child).exists()).then_some(())
    });
}

#[test]
fn a_second_request_is_not_passed_on() {
    let mut shim = Lab::new("--stop-timeout-ms=600").start(&["sh", "-c", STUBBORN]);
    shim.printed("armed");
    shim.signal(Signal::SIGTERM);
    shim.printed("asked");
    shim.signal(Signal::SIGTERM);
    shim.signal(Signal::SIGINT);
    assert_eq!(shim.exit_signal(), Some(Signal::SIGKILL as i32));
    assert_eq!(shim.stdout().matches("asked").count(), 1);
    assert_eq!(shim.sequence(), ["STOPPING=1"]);
}

#[test]
fn the_apps_own_stop_signal_is_the_configured_one() {
    let script = "trap 'echo int; exit 0' INT; echo armed; while :; do sleep 0.02; done";
    let mut shim = Lab::new("--stop-signal=2").start(&["sh", "-c", script]);
    shim.printed("armed");
    assert_eq!(shim.stop().code(), Some(0));
    shim.printed("int");
}

/// PM2's `shutdown_with_message`, to an app that has no ears for signals.
#[test]
fn an_app_is_told_by_message_first_and_by_signal_when_that_does_not_help() {
    let told = "process.on('SIGTERM', () => console.log('signal')); process.on('message', (m) => { \
                console.log('told', m); process.exit(5); }); console.log('armed');";
    let mut shim = Lab::new("--stop-message=yes").start(&["node", "-e", told]);
    shim.printed("armed");
    assert_eq!(shim.stop().code(), Some(5));
    assert_eq!(shim.stdout(), "armed\ntold shutdown\n");

    let deaf = "trap 'echo signal; exit 6' TERM; echo armed; while :; do sleep 0.02; done";
    let mut shim = Lab::new("--stop-message=yes --stop-timeout-ms=600").start(&["sh", "-c", deaf]);
    shim.printed("armed");
    let asked = Instant::now();
    assert_eq!(shim.stop().code(), Some(6));
    assert!(asked.elapsed() >= Duration::from_millis(300));
}

#[test]
fn adapters_pass_the_message_on_behind_a_launcher() {
    let (lab, _) = Lab::new("--stop-message=yes --ready=listening --stop-timeout-ms=400").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    let mut node = shim.adapter();
    node.say("listening x");
    shim.notified("READY=1");
    shim.signal(Signal::SIGTERM);
    node.hears();
    node.say("drained 0 0");
    assert_eq!(node.hears(), "shutdown 0 0");
    assert_eq!(shim.exit_signal(), Some(Signal::SIGTERM as i32));
}

#[test]
fn what_a_wrapper_leaves_behind_is_asked_too_and_waited_for() {
    let app =
        "trap 'echo child asked; sleep 0.1; echo child done; exit' TERM; echo armed; while :; do sleep 0.02; done";
    let wrapper = format!("sh -c '{}' & wait", app.replace('\'', "'\\''"));
    let mut shim = Lab::new("").start(&["sh", "-c", &wrapper]);
    shim.printed("armed");
    assert_eq!(
        {
            shim.signal(Signal::SIGTERM);
            shim.exit_signal()
        },
        Some(Signal::SIGTERM as i32)
    );
    shim.printed("child done");
}
