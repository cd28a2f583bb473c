//! What else the fixture apps do, good and bad: exit, refuse, talk to their parent, speak other protocols.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::apps::{DEADLINE, PORT, address, command, start, until_listening, with};

/// What `GET path` brings, head and all.
fn get(path: &str) -> String {
    let mut stream = TcpStream::connect(address(PORT)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Standard output of a Node program run in the app's directory.
fn node(app: &Path, program: &str) -> String {
    let output = command(app, "node", &["-e", program]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn plain_shows_its_environment_and_leaks_and_crashes_when_asked() {
    with("plain", |app| {
        let mut running = start(app);
        until_listening(PORT);
        assert!(get("/health").ends_with("ok\n"));
        assert!(get("/env").contains(r#""RELEASE":"r1""#));
        assert!(get("/leak?mb=3").ends_with("\r\n\r\n1\n") && get("/leak").ends_with("\r\n\r\n2\n"));
        assert_eq!(get("/crash"), "");
        assert_eq!(running.0.wait().unwrap().code(), Some(7));
    });
}

#[test]
fn http_health_is_not_well_for_its_first_second() {
    with("http-health", |app| {
        let _running = start(app);
        until_listening(PORT);
        assert!(get("/health").starts_with("HTTP/1.1 503 "));
        let deadline = Instant::now() + DEADLINE;
        while !get("/health").starts_with("HTTP/1.1 200 ") {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn failing_apps_exit_with_their_codes_and_a_word_on_stderr() {
    let cases = [
        ("exits", "1", 1, "cannot read config/database.json"),
        ("dies-after-1s", "1", 3, "lost the connection to the database"),
        ("crash-loop", "2", 9, "instance 2 cannot get its lock"),
    ];
    for (app, instance, code, word) in cases {
        let run = |app: &Path| {
            command(app, "node", &["server.js"])
                .env("INSTANCE", instance)
                .output()
                .unwrap()
        };
        let output = with(app, run);
        assert_eq!(output.status.code(), Some(code), "{app}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{app}");
    }
}

#[test]
fn apps_without_a_port_run_and_listen_nowhere() {
    for (app, word) in [("never-listens", "connecting to the database"), ("worker", "started")] {
        with(app, |app| {
            let mut running = start(app);
            let mut line = String::new();
            BufReader::new(running.0.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            assert!(line.contains(word), "{line}");
            assert_eq!(running.0.try_wait().unwrap(), None);
            assert!(
                !std::fs::read_to_string("/proc/thread-self/net/tcp6")
                    .unwrap()
                    .contains(" 0A ")
            );
        });
    }
}

#[test]
fn ready_message_tells_its_parent() {
    let parent = "const app = require('child_process').fork('server.js');\
        app.on('message', (message) => { console.log(message); app.kill(); });";
    assert_eq!(with("ready-message", |app| node(app, parent)), "ready\n");
}

#[test]
fn https_serves_with_a_certificate_made_for_it() {
    let client = "require('https').get({ port: 3000, rejectUnauthorized: false, headers: { 'x-request-id': 'abc' } },\
        (response) => response.pipe(process.stdout));";
    with("https", |app| {
        let _running = start(app);
        until_listening(PORT);
        assert_eq!(node(app, client), "abc\n");
    });
}

#[test]
fn net_echo_echoes() {
    with("net-echo", |app| {
        let _running = start(app);
        until_listening(PORT);
        let mut stream = TcpStream::connect(address(PORT)).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    });
}
