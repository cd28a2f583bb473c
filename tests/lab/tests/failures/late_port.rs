//! Two instances listen on a port that the app's socket does not hold: one gets it, and the failure of the other comes
//! first. The operator is told the port all the same, and the command that holds it.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(the_port_is_named_when_its_owner_says_it_late);

const ROLLOUT_FAILED: i32 = 4;
/// The first has the port, and its event loop stands still before it can say so. The second fails as soon as it sees that.
const SERVER: &str = "\
const { createServer, connect } = require('net');
const listen = () => createServer().listen(4000);
const wait = () => connect(4000).on('connect', listen).on('error', () => setTimeout(wait, 5));
if (process.env.INSTANCE === '2') wait();
else {
  listen();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
}
";

fn the_port_is_named_when_its_owner_says_it_late(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["mkdir", "/srv/app"])?;
    host.write_file("/srv/app/server.js", SERVER)?;
    let install = [
        "install",
        "web",
        "/srv/app",
        "--listen",
        "3000",
        "--instances",
        "2",
        "--",
        "node",
        "server.js",
    ];
    let output = stage.appctl(&install)?;
    ensure!(output.status == ROLLOUT_FAILED, "{output:?}");
    ensure!(output.stderr.contains("EADDRINUSE"), "{output:?}");
    ensure!(output.stderr.contains("port 4000"), "{output:?}");
    Ok(())
}
