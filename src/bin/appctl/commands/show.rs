//! `appctl show`: an app's paths, effective settings, units, and the commands to look further.

use crate::context::Context;
use crate::exit::Exit;
use appctl::spec::AppName;

/// What `show` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl show myapp
  appctl show myapp --units    the text of its units")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// Print the text of the app's units
    #[arg(long)]
    pub(crate) units: bool,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
