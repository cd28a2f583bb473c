//! `appctl logs`: what apps print, merged and coloured per instance.

use crate::context::Context;
use crate::exit::Exit;
use appctl::spec::{AppName, Instance};

/// What `logs` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl logs myapp -f                follow
  appctl logs myapp -n 100 --instance 2
  appctl logs --since '10 min ago'    all apps
  appctl logs myapp --json | jq .     one object per line

Lines an app wrote to standard error are marked with '!'. The same lines: journalctl -u 'myapp@*'")]
pub(crate) struct Args {
    /// Names of apps; all when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// Go on printing new lines
    #[arg(long, short)]
    pub(crate) follow: bool,

    /// How many old lines to print
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub(crate) lines: u32,

    /// Only this instance: a number from 1, or surge
    #[arg(long, value_name = "I")]
    pub(crate) instance: Option<Instance>,

    /// Only lines from this time on, systemd.time(7); all of them unless -n is given
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
