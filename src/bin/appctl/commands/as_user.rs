//! `appctl as-user`, which only `appctl` runs: a program as an account that can do less than root.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;

use crate::exit::Exit;
use crate::step_down::Account;

/// What `as-user` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) account: Account,

    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

/// Becomes the program, and returns only when that fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.account.become_it()?;
    let (program, arguments) = args.command.split_first().context("a program")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
