//! A real Node process whose event loop stands still, under a real shim.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Lab, eventually};
use crate::running::Shim;

/// A server that runs `work` once it has beaten, when it is told to by `SIGUSR2`.
fn node(options: &str, work: &str) -> Shim {
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/src/node/node.cjs");
    let (lab, port) = Lab::new(&format!("--ready=listening --adapter={adapter} {options}")).tcp();
    let app = format!(
        "function workThatNeverEnds() {{ {work} }}
         process.on('SIGUSR2', () => {{ console.log('working'); workThatNeverEnds(); }});
         require('http').createServer().listen({port}, '127.0.0.1');
         setTimeout(() => console.log('beating'), 1500);"
    );
    let shim = lab.start(&["node", "-e", &app]);
    shim.notified("READY=1");
    shim.printed("beating");
    shim.signal(Signal::SIGUSR2);
    shim.printed("working");
    shim
}

#[test]
fn what_it_is_doing_is_logged_before_it_is_killed() {
    let mut shim = node("--watchdog-ms=3000", "for (;;);");
    assert_eq!(shim.exit_signal(), Some(Signal::SIGKILL as i32));
    let log = shim.stderr();
    let stack = log.find("at workThatNeverEnds").expect("its stack");
    assert!(log.find("blocked for").expect("how long") < stack, "{log}");
    assert!(log.find("killed: its event loop").expect("its end") > stack, "{log}");
    assert_eq!(shim.sequence(), ["READY=1"]);
}

#[test]
fn one_that_waits_in_the_kernel_has_no_stack_and_is_killed_too() {
    let wait = "require('child_process').execFileSync('sleep', ['1000'])";
    let mut shim = node("--watchdog-ms=3000", wait);
    assert_eq!(shim.exit_signal(), Some(Signal::SIGKILL as i32));
    assert!(
        shim.stderr().contains("no stack: the app is not running JavaScript"),
        "{}",
        shim.stderr()
    );
}

#[test]
fn one_that_goes_on_in_time_is_left_alone() {
    let mut shim = node(
        "--watchdog-ms=3000",
        "const end = Date.now() + 1500; while (Date.now() < end); setTimeout(() => console.log('goes on'), 2500)",
    );
    shim.printed("goes on");
    assert!(!shim.stderr().contains("blocked"), "{}", shim.stderr());
    shim.stop();
}

#[test]
fn without_an_interval_nobody_judges() {
    let mut shim = node("", "for (;;);");
    let before = std::time::Instant::now();
    eventually("more than an interval", || {
        (before.elapsed().as_secs() >= 4).then_some(())
    });
    assert!(!shim.stderr().contains("blocked"), "{}", shim.stderr());
    kill(Pid::from_raw(shim.app()), Signal::SIGKILL).expect("it lives");
    shim.ended();
}
