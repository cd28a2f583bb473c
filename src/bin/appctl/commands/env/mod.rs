//! `appctl env`: variables of an app that no other account may read, kept in a file of root's beside the app's own.

use appctl::spec::{AppName, variables};

use crate::apps::{self, App};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

mod change;
mod edit;
mod keep;
mod list;
mod unseen;

/// What `env` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  sudo appctl env myapp set TOKEN <token.txt     the value is read, so that no history and no ps(1) shows it
  sudo appctl env myapp set TOKEN                the same from the keyboard, unseen, to the end of input (Ctrl-D)
  sudo appctl env myapp set MODE=fast LEVEL=3
  sudo appctl env myapp unset TOKEN
  sudo appctl env myapp edit                     $VISUAL or $EDITOR
  sudo appctl env myapp list --reveal

They are in /etc/appctl/env/myapp.env, for root only, and the app's instances are replaced one after the other to take
them up, as by appctl apply; one that does not come up takes the change back. They win over env in the app's file; a file
named by env_file wins over both. uninstall keeps them, uninstall --purge removes them.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// What to do; list when nothing is said
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
}

/// What to do with them.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Set variables
    Set {
        /// NAME=value, or NAME alone to read the value from standard input
        #[arg(required = true, value_name = "K=V|K")]
        variables: Vec<String>,

        #[command(flatten)]
        how: How,
    },
    /// Remove variables
    Unset {
        /// Names of variables
        #[arg(required = true, value_name = "K")]
        names: Vec<String>,

        #[command(flatten)]
        how: How,
    },
    /// List variables, without their values
    List {
        /// With their values
        #[arg(long)]
        reveal: bool,
    },
    /// Change all of them in an editor
    Edit {
        #[command(flatten)]
        how: How,
    },
}

/// When a change counts.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct How {
    /// Keep the change for the next appctl apply, and leave all instances alone
    #[arg(long)]
    pub(crate) no_roll: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

type Variables = Vec<(String, String)>;

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let name = apps::select(&context.layout, std::slice::from_ref(&args.name))?.remove(0);
    context.require_root("env")?;
    let app = App::load(&context.layout, &name)?;
    let kept = app.env.wanted.as_deref().map(variables::parse).unwrap_or_default();
    let (verb, after, how) = match &args.action {
        None => return list::run(context, &app, &kept, false),
        Some(Action::List { reveal }) => return list::run(context, &app, &kept, *reveal),
        Some(Action::Set { variables, how }) => ("env set", change::set(&kept, change::given(variables)?), how),
        Some(Action::Unset { names, how }) => ("env unset", change::unset(&name, &kept, names)?, how),
        Some(Action::Edit { how }) => ("env edit", edit::edited(context, &name, &kept)?, how),
    };
    let before = kept;
    keep::run(context, &app, &keep::Edit { verb, before, after }, *how).await
}

/// What is wrong with a variable, and nothing was changed.
fn wrong(why: impl Into<String>) -> ExpectedError {
    ExpectedError::new(Exit::USAGE, why).help("nothing was changed")
}
