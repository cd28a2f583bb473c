//! A readiness probe asks one instance and no other, and its answer is what people are shown.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::load::Shape;
use appctl_lab::patience::until;
use appctl_lab::stage::all_replaced;
use appctl_lab::{Host, Output, Stage, on_each_debian};

on_each_debian!(an_answer_of_a_sibling_proves_nothing);

const CONFIG: &str = "exec = 'node server.js'\ndirectory = '/srv/myapp'\ninstances = 2\nlisten = 3000\n\
                      [ready]\nwhen = 'http'\npath = '/health'\ntimeout = '4s'\n";
/// Asked on the shared port, mostly a sibling that is well would answer.
const ILL: &str = "const http = require('http');\nconst ill = (process.env.ILL || 'surge') === process.env.INSTANCE;\n\
                   const emit = http.Server.prototype.emit;\n\
                   http.Server.prototype.emit = function (event, req, res) {\n\
                   if (event !== 'request' || !ill || req.url !== '/health') return emit.apply(this, arguments);\n\
                   res.statusCode = 500;\nres.end('no database\\u001b[2J yet');\nreturn true;\n};\n\
                   require('./good.js');\n";
const SHOWN: &str = "its probe was answered with 500 Internal Server Error, not 200: no database [2J yet";

fn refused(output: &Output) -> Result<()> {
    let all = format!("{}{}", output.stdout, output.stderr);
    println!("{all}");
    ensure!(
        output.status == 4 && all.contains(SHOWN),
        "exit code {}:\n{all}",
        output.status
    );
    ensure!(!all.contains('\u{1b}'), "an escape sequence of the app: {all:?}");
    Ok(())
}

fn an_answer_of_a_sibling_proves_nothing(stage: &Stage) -> Result<()> {
    stage.bring("plain", "myapp")?;
    let host = stage.host();
    host.run_ok(&["cp", "/srv/myapp/server.js", "/srv/myapp/good.js"])?;
    host.write_file("/etc/appctl/apps/myapp.toml", CONFIG)?;
    stage.appctl_ok(&["apply", "myapp"])?;
    let before = stage.pids("myapp")?;
    host.write_file("/srv/myapp/server.js", ILL)?;
    let load = stage.load(3000, Shape::OnePerConnection { rate: Some(300.0) });
    let output = stage.appctl(&["rolling-restart", "myapp"])?;
    until("more load", Duration::from_secs(20), || {
        Ok((load.answered() > 300).then_some(()))
    })?;
    refused(&output)?;
    ensure!(stage.pids("myapp")? == before, "something was replaced");
    // The same code where the surge is well.
    host.write_file("/srv/myapp/server.js", &ILL.replace("'surge'", "'nobody'"))?;
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    all_replaced(&before, &stage.pids("myapp")?)?;
    let report = load.stop();
    println!("{report}");
    ensure!(report.lost() == 0, "lost requests:\n{report}");
    installs_not(stage)
}

/// The first start of an app says the same.
fn installs_not(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["cp", "-r", "/srv/myapp", "/srv/other"])?;
    let ill = ILL.replace("'surge'", "'1'");
    host.write_file("/srv/other/server.js", &ill.replace("./good.js", "./third.js"))?;
    let good = host.read_file("/srv/myapp/good.js")?;
    host.write_file("/srv/other/third.js", &good.replace("3000", "3001"))?;
    let config = CONFIG.replace("myapp", "other").replace("3000", "3001");
    host.write_file("/etc/appctl/apps/other.toml", &config)?;
    let output = stage.appctl(&["apply", "other"])?;
    refused(&output)
}
