//! `appctl apply`: puts changed configuration files in force, and rolls only what changed.

use crate::context::Context;
use crate::exit::Exit;
use appctl::spec::AppName;

/// What `apply` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl apply --dry-run       what would change, as a diff of the units
  appctl apply                 every app whose file changed
  appctl apply myapp           only this one

Nothing is touched when nothing changed. A file with problems changes nothing at all.")]
pub(crate) struct Args {
    /// Names of apps; all when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
