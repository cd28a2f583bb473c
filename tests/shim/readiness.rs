//! Readiness: each proof, each deadline, and what the operator reads when it does not come.

use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use nix::sys::signal::Signal;

use crate::harness::{Lab, eventually};
use crate::running::Shim;

fn send(path: &Path, text: &str) {
    let socket = UnixDatagram::unbound().expect("a socket");
    let patience = Some(std::time::Duration::from_secs(1));
    socket.set_write_timeout(patience).expect("a timeout");
    eventually("the app's notify socket", || socket.send_to(text.as_bytes(), path).ok());
}

#[track_caller]
fn failed(shim: &mut Shim, code: i32, why: &str) {
    assert_eq!(shim.exit_code(), Some(code));
    let status = shim.notified("STATUS=failed");
    assert!(status.contains(why), "{status}");
    let last = shim
        .seen()
        .into_iter()
        .rfind(|line| line.starts_with("STATUS="))
        .expect("a status");
    assert!(
        last.starts_with("STATUS=failed; ") && last.contains("; crashes 1; ") && last.contains(why),
        "{last}"
    );
    assert!(shim.stderr().contains(why), "{}", shim.stderr());
    assert!(shim.sequence().is_empty());
}

#[test]
fn ready_and_stopping_are_said_once_each_and_in_order() {
    let mut shim = Lab::new("--ready=started --started-after-ms=1").start(&["sleep", "1000"]);
    shim.notified("READY=1");
    assert_eq!(shim.stop().code(), None);
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn every_phase_has_its_status_line() {
    let mut shim = Lab::new("--ready=notify").start(&["sleep", "1000"]);
    let app = shim.at_rest();
    shim.notified(&format!("STATUS=starting; pid {app}; crashes 0"));
    send(&shim.path("notify.sock"), "READY=1\n");
    shim.notified(&format!("STATUS=ready; pid {app}; crashes 0"));
    shim.stop();
    shim.notified(&format!("STATUS=draining; pid {app}; crashes 0"));
}

#[test]
fn the_apps_own_word_counts_and_what_is_not_its_to_say_does_not() {
    let mut shim = Lab::new("--ready=notify").start(&["sleep", "1000"]);
    shim.at_rest();
    let path = shim.path("notify.sock");
    send(&path, "MAINPID=1\nSTOPPING=1\nFDSTORE=1\nSTATUS=warming up");
    let status = shim.notified("STATUS=starting; pid ");
    assert!(
        !status.contains("warming"),
        "the first status is older than the app's words"
    );
    eventually("the app's words", || {
        shim.seen()
            .iter()
            .any(|line| line.contains("; app \"warming up\"; "))
            .then_some(())
    });
    send(&path, "EXTEND_TIMEOUT_USEC=5000000");
    shim.notified("EXTEND_TIMEOUT_USEC=15000000");
    send(&path, "READY=1");
    shim.notified("READY=1");
    let seen = shim.seen();
    assert!(
        !seen
            .iter()
            .any(|line| line.starts_with("MAINPID=") || line.starts_with("STOPPING=")),
        "{seen:?}"
    );
    assert_eq!(
        seen.iter().filter(|line| *line == "FDSTORE=1").count(),
        1,
        "the shim's own"
    );
    shim.stop();
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn a_flood_of_an_apps_words_reaches_systemd_a_few_times_a_second() {
    let mut shim = Lab::new("--ready=notify").start(&["sleep", "1000"]);
    shim.at_rest();
    let path = shim.path("notify.sock");
    send(&path, "READY=1");
    shim.notified("READY=1");
    let (before, start) = (shim.seen().len(), std::time::Instant::now());
    for round in 0..5_000 {
        let words = format!("STATUS={round}\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=9000000\nRELOADING=1\nFDSTORE=1");
        send(&path, &words);
    }
    eventually("the last word", || {
        shim.seen().iter().any(|line| line.contains("4999")).then_some(())
    });
    let came = shim.seen().len() - before;
    // The interval is a quarter of a second.
    let most = 2 + start.elapsed().as_millis() / 250;
    assert!(came as u128 <= most, "{came} in {:?}", start.elapsed());
    shim.stop();
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

#[test]
fn the_app_finds_its_notify_socket() {
    let mut shim = Lab::new("--ready=notify").start(&["sh", "-c", "echo $NOTIFY_SOCKET; exec sleep 1000"]);
    let path = format!("{}\n", shim.path("notify.sock").display());
    shim.printed(&path);
    shim.stop();
}

#[test]
fn an_app_that_never_says_ready_is_stopped_and_that_is_failure() {
    let mut shim = Lab::new("--ready=notify --ready-timeout-ms=100").start(&["sleep", "1000"]);
    failed(&mut shim, 75, "not ready after 100 ms: it sent no READY=1");
}

#[test]
fn an_app_that_never_listens_is_stopped() {
    let (lab, _) = Lab::new("--ready=listening --ready-timeout-ms=100").with_adapter();
    failed(
        &mut lab.start(&["sleep", "1000"]),
        75,
        "it listens on none of its sockets",
    );
}

#[test]
fn an_app_that_ignores_the_stop_signal_is_killed_after_a_short_time() {
    let options = "--ready=message --ready-timeout-ms=100 --stop-timeout-ms=200";
    let mut shim = Lab::new(options).start(&["sh", "-c", "trap '' TERM; while :; do sleep 0.02; done"]);
    failed(&mut shim, 75, "it sent no \"ready\" message");
    assert!(shim.stderr().contains("killing the app"));
}

#[test]
fn listening_on_a_held_socket_is_ready() {
    let (lab, port) = Lab::new("--ready=listening").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    let mut npm = shim.adapter();
    npm.say("beat 1 0 0");
    let mut node = shim.adapter();
    node.say(&format!("listening 127.0.0.1:{port}"));
    shim.notified("READY=1");
    drop((npm, node));
    shim.stop();
}

#[test]
fn listening_elsewhere_fails_fast_with_what_to_type() {
    let (lab, port) = Lab::new("--ready=listening").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    shim.adapter().say("elsewhere 4000");
    let why = format!(
        "web listens on port 4000, but its socket holds 127.0.0.1:{port}: \
         set listen = 4000 in /etc/appctl/apps/web.toml and run \"appctl apply web\""
    );
    failed(&mut shim, 78, &why);
}

#[test]
fn listening_elsewhere_once_ready_is_only_logged() {
    let (lab, _) = Lab::new("--ready=started --started-after-ms=1").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    shim.notified("READY=1");
    shim.adapter().say("elsewhere 4000");
    shim.logged("web listens on port 4000");
    shim.stop();
    assert_eq!(shim.sequence(), ["READY=1", "STOPPING=1"]);
}

/// The adapter's private probe socket: one answer per connection, the last one for ever. The thread ends with the test.
fn answering(listener: UnixListener, answers: &'static [&'static str]) {
    std::thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 1_024];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]);
            assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{request}");
            assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
            let _ = stream.write_all(answers[at.min(answers.len() - 1)].as_bytes());
        }
    });
}

fn http(options: &str, answers: &'static [&'static str]) -> Shim {
    let options = format!("--ready=http --ready-path=/health?deep=1 {options}");
    let (lab, _) = Lab::new(&options).with_adapter();
    let listener = UnixListener::bind(lab.path().join("probe.sock")).expect("a socket");
    answering(listener, answers);
    lab.start(&["sleep", "1000"])
}

#[test]
fn a_probe_is_repeated_until_the_wanted_status_comes() {
    const NOT_YET: &str = "HTTP/1.1 503 Service Unavailable\r\n\r\nwarming";
    let mut shim = http(
        "--ready-status=204",
        &[NOT_YET, "", "nonsense\r\n", NOT_YET, "HTTP/1.1 204 No Content\r\n\r\n"],
    );
    let mut adapter = shim.adapter();
    adapter.say("probe");
    shim.notified("READY=1");
    drop(adapter);
    shim.stop();
}

#[test]
fn the_last_answer_of_a_probe_that_never_passes_is_shown() {
    let mut shim = http(
        "--ready-timeout-ms=400",
        &["HTTP/1.1 500 Oops\r\nX: y\r\n\r\nno\ndatabase"],
    );
    let mut adapter = shim.adapter();
    adapter.say("probe");
    failed(
        &mut shim,
        75,
        "not ready after 400 ms: its probe was answered with 500 Oops, not 200: no database",
    );
}

#[test]
fn an_app_without_a_probe_socket_is_told_apart() {
    let (lab, _) = Lab::new("--ready=http --ready-timeout-ms=100").with_adapter();
    failed(
        &mut lab.start(&["sleep", "1000"]),
        75,
        "it listens on no address that can be probed",
    );
    let (lab, _) = Lab::new("--ready=http --ready-timeout-ms=300").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    let mut adapter = shim.adapter();
    adapter.say("probe");
    failed(&mut shim, 75, "GET /: ");
}

#[test]
fn a_message_over_the_ipc_channel_is_ready() {
    let long = "x".repeat(3_000);
    let script =
        format!("eval \"printf '%s\\n' '\\\"no\\\"' '{long}' '\\\"ready\\\"' >&$NODE_CHANNEL_FD\"; exec sleep 1000");
    let mut shim = Lab::new("--ready=message").start(&["sh", "-c", &script]);
    shim.notified("READY=1");
    shim.stop();
}

#[test]
fn an_app_written_for_pm2_runs_as_it_is() {
    let script = "process.on('message', m => { if (m === 'shutdown') { console.log('closing'); process.exit(7); } }); \
        process.send('ready');";
    let mut shim = Lab::new("--ready=message --stop-message=yes").start(&["node", "-e", script]);
    shim.notified("READY=1");
    assert_eq!(shim.stop().code(), Some(7));
    shim.printed("closing");
}

#[test]
fn a_stop_while_starting_works_at_once() {
    let mut shim = Lab::new("--ready=notify").start(&["sleep", "1000"]);
    shim.at_rest();
    shim.signal(Signal::SIGINT);
    assert_eq!(shim.exit_signal(), Some(Signal::SIGTERM as i32));
    assert_eq!(shim.sequence(), ["STOPPING=1"]);
}
