//! A loopback of one's own: a thread that boots a system moves to a network namespace with nothing but `lo` in it, and
//! what it starts from then on (systems, load clients) lives there. So two tests can use port 3000 at a time, whatever
//! this machine runs, and no load can leave. See network_namespaces(7).

use std::cell::Cell;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{self, Command};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};

thread_local! {
    static ISOLATED: Cell<bool> = const { Cell::new(false) };
}

/// This machine's own network, kept open: even the main thread may be one that moved.
static OUTSIDE: OnceLock<File> = OnceLock::new();

/// Moves the calling thread, once; threads and processes it starts later follow.
pub(crate) fn isolate() -> Result<()> {
    if ISOLATED.get() {
        return Ok(());
    }
    let here = File::open("/proc/thread-self/ns/net").context("cannot open the network namespace")?;
    OUTSIDE.get_or_init(|| here);
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
    let Some(outside) = OUTSIDE.get() else {
        return Command::new(program);
    };
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--net=/proc/{}/fd/{}", process::id(), outside.as_raw_fd()))
        .arg("--")
        .arg(program);
    command
}
