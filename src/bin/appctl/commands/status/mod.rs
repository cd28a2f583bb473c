//! `appctl status`: apps and instances, how they are doing. Works for everyone.

use appctl::spec::AppName;

use crate::apps;
use crate::context::Context;
use crate::exit::Exit;
use crate::ui;

mod gather;
mod human;
mod json;
mod model;
mod rollout;

/// What `status` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl status                all apps
  appctl status myapp          one app, with a row per instance
  appctl status --json | jq .  the same for programs

An app is up, degraded (some instances are ready), down (none is), stopped or rolling.
An instance is starting, ready, draining, backing-off, failed or stopped.")]
pub(crate) struct Args {
    /// Names of apps; all when none is given
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<AppName>,
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let names = apps::select(&context.layout, &args.names)?;
    let apps = gather::apps(context, &names).await?;
    if context.json {
        ui::print_json(&json::apps(&apps))?;
    } else {
        ui::print(human::text(&apps, !args.names.is_empty(), jiff::Timestamp::now()))?;
    }
    Ok(Exit::DONE)
}
