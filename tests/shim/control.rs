//! The control socket against everything that is not an adapter.

use crate::adapter::Adapter;
use crate::harness::{Lab, eventually};
use crate::running::Shim;

fn shim() -> Shim {
    let (lab, _) = Lab::new("--ready=listening").with_adapter();
    lab.start(&["sleep", "1000"])
}

/// The shim still serves others and still stops cleanly.
#[track_caller]
fn unharmed(mut shim: Shim) {
    let mut good = shim.adapter();
    good.say("listening x");
    shim.notified("READY=1");
    drop(good);
    shim.stop();
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn whoever_does_not_greet_is_hung_up_on() {
    let shim = shim();
    for first in ["listening x", "hello 2 1", "hello", "GET / HTTP/1.1", ""] {
        let mut stranger = shim.stranger();
        stranger.say(first);
        assert!(stranger.is_closed(), "{first:?}");
    }
    unharmed(shim);
}

#[test]
fn a_line_that_is_too_long_ends_its_connection() {
    let shim = shim();
    for bytes in [
        vec![b'x'; 5_000],
        [vec![b'x'; 1_024], vec![b'\n']].concat(),
        vec![0xff, b'\n'],
        vec![0; 3_000],
    ] {
        let mut adapter = shim.adapter();
        adapter.send(&bytes);
        assert!(adapter.is_closed());
    }
    unharmed(shim);
}

#[test]
fn an_unknown_word_is_ignored_and_logged_once() {
    let mut shim = shim();
    let mut adapter = shim.adapter();
    adapter.say("sing");
    shim.logged("unknown or malformed word \"sing\" ignored");
    // What was logged was read: these come in a read of their own.
    for word in ["dance now", "beat much", "elsewhere 99999"] {
        adapter.say(word);
    }
    adapter.say("listening x");
    shim.notified("READY=1");
    assert_eq!(shim.stderr().matches("unknown or malformed").count(), 1);
    drop(adapter);
    shim.stop();
}

/// Hellos, beats and wrong ports from every connection there may be.
#[test]
fn a_flood_of_words_neither_grows_the_shim_nor_keeps_it_from_its_end() {
    let mut shim = shim();
    let mut good = shim.adapter();
    good.say("listening x");
    shim.notified("READY=1");
    let memory = |shim: &Shim| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", shim.pid())).expect("a live shim");
        let line = status
            .lines()
            .find(|line| line.starts_with("RssAnon:"))
            .expect("a field of proc(5)");
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse::<u64>().ok())
            .expect("a number")
    };
    let mut many: Vec<Adapter> = (0..8).map(|_| shim.adapter()).collect();
    let text = "hello 1 7\nhello 1 8\nelsewhere 4000\nbeat 0 0 0 5 0\n".repeat(500);
    let before = memory(&shim);
    for _ in 0..20 {
        for one in &mut many {
            one.send(text.as_bytes());
        }
    }
    // Counts are told with a later beat.
    eventually("the last word", || {
        good.say("beat 0 0 0 77 0");
        shim.seen()
            .iter()
            .any(|line| line.contains("responses 117"))
            .then_some(())
    });
    assert!(
        memory(&shim) < before + 200,
        "{} KiB, then {} KiB",
        before,
        memory(&shim)
    );
    assert!(shim.seen().len() < 40, "{:?}", shim.seen());
    for one in &mut many {
        one.send(text.as_bytes());
    }
    drop(many);
    drop(good);
    shim.stop();
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn lines_may_come_in_pieces_and_together() {
    let mut shim = shim();
    let mut adapter = shim.stranger();
    for piece in ["hel", "lo 1", " 77\nbeat 1 2", " 3\nbeat 1 2 3\nlisten", "ing x\n"] {
        adapter.send(piece.as_bytes());
    }
    shim.notified("READY=1");
    drop(adapter);
    shim.stop();
}

#[test]
fn what_adapters_count_is_told_to_systemd() {
    let mut shim = shim();
    let (mut npm, mut node) = (shim.adapter(), shim.adapter());
    node.say("listening x");
    shim.notified("READY=1");
    npm.say("beat 1 0 0");
    node.say("beat 1 0 1 630 37");
    let app = shim.app();
    shim.notified(&format!("STATUS=ready; pid {app}; responses 630; errors 37; crashes 0"));
    drop((npm, node));
    shim.stop();
}

#[test]
fn too_many_connections_are_refused_and_the_rest_is_served() {
    let mut shim = shim();
    let mut many: Vec<Adapter> = (0..128).map(|_| shim.adapter()).collect();
    // An answer proves that all before were taken.
    let mut over = shim.stranger();
    assert!(over.is_closed());
    many[127].say("listening x");
    shim.notified("READY=1");
    shim.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(many.iter_mut().all(|one| one.hears().starts_with("stop ")));
    drop(many);
    shim.ended();
}
