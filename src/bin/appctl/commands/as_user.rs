//! `appctl as-user`, which only `appctl` runs: a program as an account that can do less than root. When it ends, whatever
//! it started ends with it, `pid_namespaces(7)`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::exit::Exit;
use crate::step_down::Account;

/// What `as-user` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) account: Account,

    /// Become the program, instead of starting and outliving it
    #[arg(long)]
    pub(crate) exec: bool,

    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

/// Runs the program to its end.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.exec {
        return become_program(args);
    }
    // Before anything else: what started this process may be gone already.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    contain()?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["as-user", "--exec"]).args(args.account.arguments());
    let status = command.arg("--").args(&args.command).status()?;
    Ok(if status.success() { Exit::DONE } else { Exit::FAILED })
}

/// The next child is the first process of a namespace, which the kernel empties when that process ends. A container may
/// forbid that; then what has left the session of the program may stay.
fn contain() -> nix::Result<()> {
    match unshare(CloneFlags::CLONE_NEWPID) {
        Err(Errno::EPERM | Errno::ENOSPC) => Ok(()),
        done => done,
    }
}

/// Returns only when that fails.
fn become_program(args: &Args) -> anyhow::Result<Exit> {
    args.account.become_it()?;
    let (program, arguments) = args.command.split_first().context("a program")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
