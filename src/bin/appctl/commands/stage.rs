//! `appctl stage`: makes a release and leaves it at that; what serves is as it was.

use appctl::spec::AppName;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::operation::UnderWay;
use crate::rolling::Hold;
use crate::staging::{self, Asked, Progress, Wanted};
use crate::{apps, ui};

/// What `stage` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    pub(crate) name: AppName,

    /// What it is made from
    #[command(flatten)]
    pub(crate) from: Asked,

    /// Make a release even when one with the same content is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    context.require_root("stage")?;
    let spec = apps::in_force(context.layout.of(&args.name))?;
    let _hold = Hold::take(context, &args.name, "stage")?;
    let operation = UnderWay::new(context, &args.name, "stage");
    let wanted = Wanted {
        source: args.from.source(),
        force: args.force,
    };
    let mut tell = |progress: Progress| context.say(&args.name, &progress.to_string());
    let staged = operation
        .carry_out(staging::stage(context, &spec, &wanted, &mut tell))
        .await?;
    if context.json {
        ui::print_json(&json!({
            "app": args.name.as_str(), "release": staged.id.to_string(), "existing": staged.existing, "origin": staged.origin,
        }))?;
    } else {
        let how = if staged.existing { "is there already" } else { "is made" };
        ui::print(format!("{}: release {} {how}", args.name, staged.id))?;
    }
    Ok(Exit::DONE)
}
