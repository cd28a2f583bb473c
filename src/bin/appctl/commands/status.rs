//! `appctl status`: apps and instances, how they are doing. Works for everyone.

use crate::context::Context;
use crate::exit::Exit;
use appctl::spec::AppName;

/// What `status` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl status                all apps
  appctl status myapp          one app, with a row per instance
  appctl status --json | jq .  the same for programs")]
pub(crate) struct Args {
    /// Names of apps; all when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<AppName>,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
