//! The fixture apps under plain Node (and Python), without anything of ours: what a lab test finds wrong later is then
//! not the app's fault.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use appctl_lab::apps;
use appctl_lab::load::{Bucket, Counts, Load, Plan, Report, Shape, Target};

use crate::network::private;

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
pub(crate) const PORT: u16 = 3000;

/// A running app; killed when dropped.
pub(crate) struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the test in a network of its own, with the app's directory. The app is prepared before, from the outer network.
pub(crate) fn with<T: Send>(app: &str, test: impl FnOnce(&Path) -> T + Send) -> T {
    let app = apps::prepare(app).unwrap();
    private(|| test(&app))
}

pub(crate) fn command(app: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(app);
    command
        .env("RELEASE", "r1")
        .env("PORT", PORT.to_string())
        .env("INSTANCE", "1");
    command.stdout(Stdio::piped());
    command
}

pub(crate) fn start(app: &Path) -> Running {
    Running(command(app, "node", &["server.js"]).spawn().unwrap())
}

pub(crate) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

pub(crate) fn until_listening(port: u16) {
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(address(port)).is_err() {
        assert!(Instant::now() < deadline, "nothing listens on port {port}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn hundred(port: u16, shape: Shape) -> Report {
    Load::start(
        Plan::new(Target::Tcp(address(port)), shape)
            .connections(4)
            .requests(100),
    )
    .wait()
}

fn answers(running: &Running, port: u16) {
    until_listening(port);
    let shapes = [
        Shape::OnePerConnection { rate: None },
        Shape::KeepAlive {
            body: 16_256,
            think: None,
        },
        Shape::KeepAlive { body: 0, think: None },
        Shape::Pipelined,
    ];
    for shape in shapes {
        let report = hundred(port, shape);
        assert_eq!(report.counts, Counts::only(Bucket::Ok, 100), "{report}");
        assert_eq!(report.pids.into_iter().collect::<Vec<_>>(), [(running.0.id(), 100)]);
        assert_eq!(
            report.releases.into_iter().collect::<Vec<_>>(),
            [("r1".to_owned(), 100)]
        );
    }
}

fn serves_on(port: u16, app: &str) {
    with(app, |app| answers(&start(app), port));
}

#[test]
fn plain_serves_on_3000() {
    serves_on(PORT, "plain");
}

#[test]
fn port_env_serves_on_the_given_port() {
    serves_on(PORT, "port-env");
}

#[test]
fn wrong_port_serves_on_4000() {
    serves_on(4000, "wrong-port");
}

#[test]
fn slow_start_serves_after_two_seconds() {
    let start = Instant::now();
    serves_on(PORT, "slow-start");
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[test]
fn crash_loop_serves_in_instance_1() {
    serves_on(PORT, "crash-loop");
}

#[test]
fn ready_message_serves() {
    serves_on(PORT, "ready-message");
}

#[test]
fn http_health_serves() {
    serves_on(PORT, "http-health");
}

#[test]
fn express_serves() {
    serves_on(PORT, "express");
}

#[test]
fn fastify_serves() {
    serves_on(PORT, "fastify");
}

#[test]
fn python_serves_on_the_socket_it_is_given() {
    let give = "import os, socket\n\
        listener = socket.create_server(('127.0.0.1', 3000), backlog=128)\n\
        os.dup2(listener.fileno(), 3)\n\
        os.set_inheritable(3, True)\n\
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n\
        os.execvp('python3', ['python3', 'server.py'])\n";
    with("python-listen-fds", |app| {
        let running = Running(command(app, "python3", &["-c", give]).spawn().unwrap());
        answers(&running, PORT);
    });
}

#[test]
fn plain_express_and_fastify_have_a_slow_handler_and_take_a_slow_upload() {
    for app in ["plain", "express", "fastify"] {
        with(app, |app| {
            let _running = start(app);
            until_listening(PORT);
            let (handler, every) = (Duration::from_millis(200), Duration::from_millis(5));
            for shape in [
                Shape::SlowResponse { handler },
                Shape::SlowUpload {
                    body: 2048,
                    piece: 128,
                    every,
                },
            ] {
                let plan = Plan::new(Target::Tcp(address(PORT)), shape).connections(4).requests(8);
                let report = Load::start(plan).wait();
                assert_eq!(report.counts, Counts::only(Bucket::Ok, 8), "{} {report}", app.display());
                assert!(report.latency.p50 > 0.07, "{} {report}", app.display());
            }
        });
    }
}

#[test]
fn plain_takes_its_release_from_a_file_before_the_environment() {
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(apps::source("plain").join("server.js"), copy.path().join("server.js")).unwrap();
    std::fs::write(copy.path().join("release.txt"), "r2\n").unwrap();
    private(|| {
        let _running = start(copy.path());
        until_listening(PORT);
        let report = hundred(PORT, Shape::OnePerConnection { rate: None });
        assert_eq!(
            report.releases.into_iter().collect::<Vec<_>>(),
            [("r2".to_owned(), 100)]
        );
    });
}
