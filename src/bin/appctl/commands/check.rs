//! `appctl check`: validates configuration files without touching anything.

use crate::context::Context;
use crate::exit::Exit;
use std::path::PathBuf;

/// What `check` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl check /etc/appctl/apps/myapp.toml
  appctl check deploy/*.toml

The app's name is the file's name without .toml. Exit code 3 when there is any problem.")]
pub(crate) struct Args {
    /// Configuration files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
