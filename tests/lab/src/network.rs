//! A loopback of one's own: a thread that boots a system moves to a network namespace with nothing but `lo` in it, and
//! what it starts from then on (systems, load clients) lives there. So two tests can use port 3000 at a time, whatever
//! this machine runs, and no load can leave. See network_namespaces(7).

use std::cell::Cell;
use std::process::{self, Command};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};

thread_local! {
    static ISOLATED: Cell<bool> = const { Cell::new(false) };
}

/// Moves the calling thread, once; threads and processes it starts later follow.
pub(crate) fn isolate() -> Result<()> {
    if ISOLATED.get() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWNET).context("a network namespace of its own needs root")?;
    let status = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status()
        .context("cannot run ip(8)")?;
    ensure!(status.success(), "cannot bring the loopback up");
    ISOLATED.set(true);
    Ok(())
}

/// A command that runs on this machine's own network, wherever the calling thread is: for what needs a package registry.
pub(crate) fn outside(program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--net=/proc/{}/ns/net", process::id()))
        .arg("--")
        .arg(program);
    command
}
