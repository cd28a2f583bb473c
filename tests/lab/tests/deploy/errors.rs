//! A release that comes up and answers with errors: taken back when they are its own, and only then.

use anyhow::{Context, Result, ensure};
use appctl_lab::load::Report;
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

use crate::scene::{RATE, WANTED, deploy, ends_with, install, live, more, releases, source_is, status, whole};

on_each_debian!(
    a_release_that_answers_with_errors_is_taken_back,
    errors_that_the_old_release_has_too_are_no_reason
);

const CANARY: [&str; 4] = ["--canary", "1", "--bake", "60s"];
const SHORT: [&str; 4] = ["--canary", "1", "--bake", "3s"];

/// The next release answers one request in `every` with `code`.
fn source_errs(host: &impl Host, name: &str, code: u16, every: u32) -> Result<()> {
    let wrapped = format!(
        "const http = require('http');\nconst {{ createServer }} = http;\nlet count = 0;\n\
         http.createServer = (handler) => createServer((req, res) => {{\n\
           count += 1;\n\
           if (count % {every} !== 0) return handler(req, res);\n\
           res.statusCode = {code};\n\
           res.end('no');\n\
         }});\nrequire('./good.js');\n"
    );
    host.write_file("/srv/myapp/server.js", &wrapped)?;
    source_is(host, name)
}

fn source_is_good(host: &impl Host, name: &str) -> Result<()> {
    host.run_ok(&["cp", "/srv/myapp/good.js", "/srv/myapp/server.js"])?;
    source_is(host, name)
}

/// Requests were answered, be it with an error.
fn all_answered(report: &Report) -> Result<()> {
    println!("{report}");
    let counts = &report.counts;
    ensure!(
        report.lost() == counts.server_error + counts.wrong_body && counts.ok > 300,
        "lost requests:\n{report}"
    );
    Ok(())
}

/// Errors and responses that the instances tell, all together.
fn told(host: &impl Host) -> Result<(u64, u64)> {
    let status = status(host)?;
    let list = status["instances"].as_array().context("a list")?;
    let sum = |key: &str| list.iter().filter_map(|one: &Value| one[key].as_u64()).sum();
    Ok((sum("errors"), sum("responses")))
}

fn a_release_that_answers_with_errors_is_taken_back(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(host, 3, "bake = '6s'")?;
    let old = live(host)?;
    let load = stage.load(3000, RATE);
    more(&load, 300)?;
    source_errs(host, "r1", 500, 5)?;
    let output = deploy(stage, &CANARY)?;
    ends_with(&output, 4, "instance 1: it answered ")?;
    ends_with(&output, 4, " requests with 5xx; the others 0 of ")?;
    is_back(stage, &old)?;
    source_errs(host, "r2", 503, 5)?;
    ends_with(&deploy(stage, &[])?, 4, " requests with 5xx, all new instances ")?;
    is_back(stage, &old)?;
    // Nothing but errors of clients.
    source_errs(host, "r3", 404, 1)?;
    ends_with(&deploy(stage, &SHORT)?, 0, "is live")?;
    let report = load.stop();
    all_answered(&report)?;
    let counts = &report.counts;
    ensure!(counts.server_error > 20 && counts.wrong_body > 100, "{report}");
    ensure!(live(host)? != old, "not live");
    Ok(())
}

/// On the old release, which goes on without an error, and the new one is marked.
fn is_back(stage: &Stage, old: &str) -> Result<()> {
    whole(stage, 3)?;
    ensure!(live(stage.host())? == old, "it is live");
    let releases = releases(stage.host())?;
    ensure!(releases[0].1 == "bad", "{releases:?}");
    ends_with(&deploy(stage, &[])?, 4, "is bad")
}

fn errors_that_the_old_release_has_too_are_no_reason(stage: &Stage) -> Result<()> {
    let host = stage.host();
    install(host, 3, "bake = '3s'\nerrors = 'off'")?;
    let load = stage.load(3000, RATE);
    source_errs(host, "r1", 500, 5)?;
    ends_with(&deploy(stage, &SHORT)?, 0, "is live")?;
    let text = host.read_file(WANTED)?;
    host.write_file(WANTED, &text.replace("errors = 'off'", "errors = '5%'"))?;
    stage.appctl_ok(&["apply", "myapp"])?;
    more(&load, 600)?;
    // The yardstick is there, and is not innocent.
    let (errors, responses) = told(host)?;
    ensure!(errors > 50 && errors * 10 > responses, "{errors} of {responses}");
    let old = live(host)?;
    source_errs(host, "r2", 500, 5)?;
    ends_with(&deploy(stage, &SHORT)?, 0, "is live")?;
    ensure!(live(host)? != old, "not live");
    let (errors, responses) = told(host)?;
    ensure!(errors > 50 && errors * 10 > responses, "{errors} of {responses}");
    // Back to one without errors, on the way to which nothing is held against anyone.
    source_is_good(host, "r3")?;
    ends_with(&deploy(stage, &SHORT)?, 0, "is live")?;
    all_answered(&load.stop())?;
    whole(stage, 3).map(drop)
}
