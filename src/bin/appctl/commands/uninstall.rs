//! `appctl uninstall`: stops apps, takes their units away, and with `--purge` their releases and data too.

use std::io::{BufRead as _, IsTerminal as _};

use appctl::host::{files, tree};
use appctl::spec::AppName;
use serde_json::json;

use crate::account;
use crate::apps;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::session::Session;
use crate::{purge, ui};

/// What `uninstall` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl uninstall myapp            keeps releases, data and variables
  appctl uninstall myapp --purge    removes these, too, also after an uninstall without it

Releases and data are in /var/lib/appctl/myapp, variables in /etc/appctl/env/myapp.env. \
--purge checks first: if something is mounted below these directories, or a file has a flag of chattr(1) that prevents \
its removal, appctl names it and changes nothing.
An account named by --user stays, since files elsewhere may belong to it. The app's own account goes with --purge.")]
pub(crate) struct Args {
    /// Names of apps
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<AppName>,

    /// Also remove releases, data and variables
    #[arg(long)]
    pub(crate) purge: bool,

    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let names = select(context, args)?;
    if args.purge {
        for name in &names {
            purge::refuse_incomplete(context.layout.of(name))?;
        }
    }
    if !args.dry_run {
        context.require_root("uninstall")?;
        confirm(args, &names)?;
    }
    for name in &names {
        if args.dry_run {
            report(context, args, name, "would uninstall")?;
            continue;
        }
        let systemd = context.systemd().await?;
        let session = Session::take(context, &systemd, name, "uninstall")?;
        session.carry_out(uninstall(&session, args.purge)).await?;
        report(context, args, name, "uninstalled")?;
    }
    Ok(Exit::DONE)
}

/// The apps named. With `--purge` also those that only left something.
fn select(context: &Context, args: &Args) -> anyhow::Result<Vec<AppName>> {
    let layout = &context.layout;
    let mut left = Vec::new();
    if args.purge {
        let installed = apps::installed(layout)?;
        for name in &args.names {
            if !installed.contains(name) && !left.contains(name) && purge::remains(layout.of(name))? {
                left.push(name.clone());
            }
        }
    }
    let rest: Vec<AppName> = args.names.iter().filter(|name| !left.contains(name)).cloned().collect();
    if !rest.is_empty() {
        left.extend(apps::select_by_file(layout, &rest)?);
    }
    Ok(left)
}

/// Data that is removed is gone, so a terminal is asked and a script must say so.
fn confirm(args: &Args, names: &[AppName]) -> anyhow::Result<()> {
    if !args.purge || args.yes {
        return Ok(());
    }
    let names: Vec<&str> = names.iter().map(AppName::as_str).collect();
    let names = names.join(", ");
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let error = ExpectedError::new(
            Exit::USAGE,
            format!("--purge would remove the releases and data of {names}"),
        );
        return Err(error.help("to confirm, add --yes").into());
    }
    ui::ask(format!("remove {names} with all releases and data? [y/N]"));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(ExpectedError::new(Exit::FAILED, "not confirmed, nothing was changed").into())
}

async fn uninstall(session: &Session<'_>, purge: bool) -> anyhow::Result<()> {
    let (layout, name) = (&session.context.layout, &session.app);
    let paths = layout.of(name);
    session.take_away().await?;
    tree::remove(&paths.run())?;
    files::remove(&paths.journal())?;
    if purge {
        files::remove(&paths.env_file())?;
        purge::remove(paths)?;
        if !layout.is_moved() {
            account::remove(name)?;
        }
    }
    Ok(())
}

fn report(context: &Context, args: &Args, name: &AppName, what: &str) -> anyhow::Result<()> {
    let state = context.layout.of(name).state();
    let kept = !args.purge && state.exists();
    if context.json {
        ui::print_json(&json!({
            "app": name.as_str(), "result": what, "purged": args.purge, "kept": kept.then_some(&state),
        }))?;
        return Ok(());
    }
    let rest = match (args.purge, kept) {
        (true, _) => format!(" with {}", state.display()),
        (false, true) => format!(
            "; {} is kept: sudo appctl uninstall {name} --purge removes it",
            state.display()
        ),
        (false, false) => String::new(),
    };
    Ok(ui::print(format!("{what} {name}{rest}"))?)
}
