//! The command line: one enum of all verbs. What a verb takes is in its own file under `commands/`.

use appctl::spec::AppName;
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    access, apply, as_user, check, deploy, env, install, logs, prune, read_source, releases, rollback, scale, show,
    stage, status, uninstall, unpack,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  failed
  2  wrong command line
  3  invalid configuration
  4  an app did not come up; the old state was kept or restored
  5  no such app or release
  6  not permitted
  7  busy: another rollout of the app is running
  8  done, but requests were cut: they took longer than [stop] timeout

Files: /etc/appctl/apps/NAME.toml says what is wanted. Everything that runs is a plain systemd unit: \
systemctl status NAME, journalctl -u 'NAME@*' and drop-ins work.";

/// Run web apps with systemd as the supervisor: several instances on one port, restarts that lose no request.
#[derive(Debug, Parser)]
#[command(name = "appctl", version, about, after_long_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// Print JSON: one object, or one per line from commands that take a while
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[arg(long, global = true, help = "Print no colours, as with NO_COLOR=1")]
    pub(crate) no_color: bool,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install an app and start it
    Install(install::Args),
    /// Stop apps and remove their configuration
    Uninstall(uninstall::Args),
    /// Show apps and how they are doing
    #[command(visible_aliases = ["list", "ls"])]
    Status(status::Args),
    /// Start apps
    Start(Apps),
    /// Stop apps: requests in flight are finished, then the ports close
    Stop(Apps),
    /// Restart all instances of apps at once; requests wait in the socket meanwhile
    Restart(Apps),
    /// Restart the instances of apps one after the other, without losing a request
    #[command(visible_alias = "reload")]
    RollingRestart(Apps),
    /// Make a new release of an app and make it live, without losing a request
    Deploy(deploy::Args),
    /// Make an earlier release of an app live again
    #[command(visible_alias = "revert")]
    Rollback(rollback::Args),
    /// List the releases of an app
    Releases(releases::Args),
    /// Remove old releases of an app
    Prune(prune::Args),
    /// Continue a deploy from its canaries to all instances
    Promote(Apps),
    /// Change how many instances an app has
    Scale(scale::Args),
    /// Show what apps print
    Logs(logs::Args),
    /// Put changed configuration files in force
    Apply(apply::Args),
    /// Set variables of an app that only root and the app can read, such as secrets
    Env(env::Args),
    /// Check configuration files
    Check(check::Args),
    /// Show an app's paths, settings and units
    Show(show::Args),
    /// Finish a rollout that was interrupted
    Resume(Apps),
    /// Undo a rollout that was interrupted, or whose new release is still watched
    Abort(Apps),
    /// Make a release without putting it in force
    #[command(hide = true)]
    Stage(stage::Args),
    /// Unpack an archive from standard input
    #[command(hide = true)]
    Unpack(unpack::Args),
    /// Open a source as an account that can do less than root
    #[command(hide = true)]
    ReadSource(read_source::Args),
    /// Run a program as another account
    #[command(hide = true)]
    AsUser(as_user::Args),
    /// Give apps that shared one group accounts of their own
    #[command(hide = true)]
    MoveOut,
    /// Say which part of a path an account cannot read
    #[command(hide = true)]
    CanRead(access::Args),
}

/// The apps that a verb without further options acts on.
#[derive(Debug, Args)]
pub(crate) struct Apps {
    /// Names of apps
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn clap_finds_no_contradiction() {
        super::Cli::command().debug_assert();
    }
}
