//! Whatever serves: installed as it is, and replaced under load without a lost request.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::eventually;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    express,
    fastify,
    npm_start,
    python,
    ready_message,
    http_health,
    https,
    worker
);

/// Installs the fixture with two instances and replaces them under both kinds of load.
fn serves(stage: &Stage, app: &str, options: &[&str]) -> Result<()> {
    stage.bring(app, "web")?;
    stage.appctl_ok(&[&["install", "web", "/srv/web", "--instances", "2"], options].concat())?;
    for shape in [
        Shape::OnePerConnection { rate: None },
        Shape::KeepAlive { body: 0, think: None },
    ] {
        let before = stage.pids("web")?;
        let load = stage.load(3000, shape);
        stage.appctl_ok(&["rolling-restart", "web"])?;
        let report = load.stop();
        println!("{app}: {report}");
        ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
        all_replaced(&before, &stage.pids("web")?)?;
    }
    Ok(())
}

fn express(stage: &Stage) -> Result<()> {
    serves(stage, "express", &[])
}

fn fastify(stage: &Stage) -> Result<()> {
    serves(stage, "fastify", &[])
}

/// npm, a shell and node stand between the unit and the app.
fn npm_start(stage: &Stage) -> Result<()> {
    let package = r#"{"name": "web", "scripts": {"prestart": "true", "start": "echo starting && NODE_ENV=production node server.js"}}"#;
    stage.bring("plain", "web")?;
    stage.host().write_file("/srv/web/package.json", package)?;
    stage.appctl_ok(&["install", "web", "/srv/web", "--instances", "2"])?;
    let before = stage.pids("web")?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    stage.appctl_ok(&["rolling-restart", "web"])?;
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0 && report.counts.ok > 0, "lost requests:\n{report}");
    all_replaced(&before, &stage.pids("web")?)
}

/// No adapter: the app takes the sockets by itself. What it drains is its own matter, so the load closes each connection.
fn python(stage: &Stage) -> Result<()> {
    stage.bring("python-listen-fds", "web")?;
    let options = ["--listen", "3000", "--", "/usr/bin/python3", "server.py"];
    stage.appctl_ok(&[&["install", "web", "/srv/web", "--instances", "2"], &options[..]].concat())?;
    let before = stage.pids("web")?;
    stage.appctl_ok(&["rolling-restart", "web"])?;
    all_replaced(&before, &stage.pids("web")?)?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: None });
    eventually(Duration::from_secs(10), || {
        ensure!(load.answered() > 100);
        Ok(())
    })?;
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0, "lost requests:\n{report}");
    Ok(())
}

fn ready_message(stage: &Stage) -> Result<()> {
    serves(stage, "ready-message", &["--ready", "message"])
}

fn http_health(stage: &Stage) -> Result<()> {
    serves(stage, "http-health", &["--ready", "/health"])
}

/// The strict client speaks no TLS: curl asks, one connection per request, while the instances are replaced.
fn https(stage: &Stage) -> Result<()> {
    stage.bring("https", "web")?;
    stage.appctl_ok(&["install", "web", "/srv/web", "--instances", "2"])?;
    let before = stage.pids("web")?;
    let ask = "n=0; while [ ! -e /tmp/enough ]; do \
               curl --silent --show-error --insecure --fail --max-time 10 --output /dev/null https://127.0.0.1:3000/ || exit 1; \
               n=$((n+1)); done; echo $n";
    let asking = stage.host().spawn(&["sh", "-c", ask])?;
    // A process for each request is slow: one rollout may be over after a few.
    for _ in 0..3 {
        stage.appctl_ok(&["rolling-restart", "web"])?;
    }
    stage.host().run_ok(&["touch", "/tmp/enough"])?;
    let output = asking.wait_with_output()?;
    let (asked, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    println!("{} requests over TLS", asked.trim_end());
    ensure!(
        output.status.success() && asked.trim_end().parse::<u32>()? > 10,
        "{asked}{errors}"
    );
    all_replaced(&before, &stage.pids("web")?)
}

/// Nothing to listen on: only ready and replaced.
fn worker(stage: &Stage) -> Result<()> {
    let directory = stage.bring("worker", "web")?;
    stage.appctl_ok(&["install", "web", &directory, "--instances", "2", "--no-listen"])?;
    let before = stage.pids("web")?;
    stage.appctl_ok(&["rolling-restart", "web"])?;
    all_replaced(&before, &stage.pids("web")?)?;
    let logs = stage.appctl_ok(&["logs", "web", "-n", "100"])?;
    ensure!(logs.contains("job 1 done"), "{logs}");
    Ok(())
}
