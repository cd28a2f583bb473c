//! `appctl stage`: makes a release and leaves it at that; what serves is as it was.

use std::path::PathBuf;

use appctl::spec::AppName;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::rolling::Hold;
use crate::staging::{self, Options, Progress, Source};
use crate::{apps, ui};

/// What `stage` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    pub(crate) name: AppName,

    /// A directory, a tar archive (plain, gzip or zstd), or - for an archive on standard input
    #[arg(default_value = ".", conflicts_with = "git")]
    pub(crate) source: PathBuf,

    /// Take a commit of this repository
    #[arg(long, value_name = "URL")]
    pub(crate) git: Option<String>,

    /// Which branch, tag or commit
    #[arg(long = "ref", value_name = "REF", requires = "git", default_value = "HEAD")]
    pub(crate) reference: String,

    /// Make a release even when one with the same content is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    context.require_root("stage")?;
    let spec = apps::in_force(&context.layout, &args.name)?;
    let _hold = Hold::take(context, &args.name, "stage")?;
    let source = match &args.git {
        Some(url) => Source::Git {
            url: url.clone(),
            reference: args.reference.clone(),
        },
        None => Source::of(&args.source),
    };
    let options = Options { force: args.force };
    let mut tell = |progress| context.say(&args.name, &said(progress));
    let staged = staging::stage(context, &spec, &source, &options, &mut tell).await?;
    if context.json {
        ui::print_json(&json!({
            "app": args.name.as_str(), "release": staged.id.to_string(), "existing": staged.existing, "origin": staged.origin,
        }))?;
    } else {
        let how = if staged.existing { "is there already" } else { "is made" };
        ui::print(&format!("{}: release {} {how}", args.name, staged.id))?;
    }
    Ok(Exit::DONE)
}

fn said(progress: Progress) -> String {
    match progress {
        Progress::Step(text) | Progress::Note(text) => text,
        Progress::Said(text) => format!("  | {text}"),
    }
}
