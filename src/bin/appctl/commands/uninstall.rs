//! `appctl uninstall`: stops apps, takes their units away, and with `--purge` their releases and data too.

use crate::context::Context;
use crate::exit::Exit;
use appctl::spec::AppName;

/// What `uninstall` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl uninstall myapp            keeps /var/lib/appctl/myapp: releases and data
  appctl uninstall myapp --purge    removes these too")]
pub(crate) struct Args {
    /// Names of apps
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// Remove releases and data as well
    #[arg(long)]
    pub(crate) purge: bool,

    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
