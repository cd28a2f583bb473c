//! `appctl prune`: removes old releases that no instance uses, as every deploy does at its end.

use appctl::release::ReleaseId;
use appctl::spec::{AppName, AppSpec};
use serde_json::json;

use super::deploy::releasable;
use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;
use crate::{retention, staging, ui};

/// What `prune` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl prune myapp --dry-run     the releases it would remove
  sudo appctl prune myapp
  sudo appctl prune myapp --keep 2

Three kinds of releases always stay: the live one, the one that a rollback would go to, and each that an instance still \
runs, even if that instance has been draining for hours. What a killed deploy left behind is removed.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    #[arg(
        long,
        value_name = "N",
        help = "How many releases to keep; by default as many as [deploy] keep"
    )]
    pub(crate) keep: Option<usize>,

    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let spec = releasable(context, &args.name)?;
    if !args.dry_run {
        context.require_root("prune")?;
    }
    let systemd = context.systemd().await?;
    let keep = args.keep.unwrap_or(spec.deploy.keep);
    let gone = if args.dry_run {
        retention::prunable(context, &systemd, &spec, keep).await?
    } else {
        let session = Session::take(context, &systemd, &args.name, "prune")?;
        session.carry_out(prune(&session, &spec, keep)).await?
    };
    report(args, context, &gone)?;
    Ok(Exit::DONE)
}

async fn prune(session: &Session<'_>, spec: &AppSpec, keep: usize) -> anyhow::Result<Vec<ReleaseId>> {
    let gone = retention::prunable(session.context, session.systemd, spec, keep).await?;
    for id in &gone {
        retention::remove(session.context, &session.app, id)?;
    }
    staging::sweep(session.context, spec)?;
    Ok(gone)
}

fn report(args: &Args, context: &Context, gone: &[ReleaseId]) -> anyhow::Result<()> {
    let ids: Vec<String> = gone.iter().map(ToString::to_string).collect();
    if context.json {
        let fields = json!({ "app": args.name.as_str(), "removed": ids, "dry_run": args.dry_run });
        return Ok(ui::print_json(&fields)?);
    }
    let verb = if args.dry_run { "would remove" } else { "removed" };
    let what = if ids.is_empty() {
        "nothing".to_owned()
    } else {
        ids.join(", ")
    };
    Ok(ui::print(format!("{}: {verb} {what}", args.name))?)
}
