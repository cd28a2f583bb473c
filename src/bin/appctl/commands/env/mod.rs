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
  sudo appctl env myapp set TOKEN <token.txt     from standard input: not in history, not in ps(1)
  sudo appctl env myapp set TOKEN                typed without echo, ended by Ctrl-D
  sudo appctl env myapp set MODE=fast LEVEL=3
  sudo appctl env myapp unset TOKEN
  sudo appctl env myapp edit                     $VISUAL or $EDITOR
  sudo appctl env myapp list --reveal

They are kept in /etc/appctl/env/myapp.env, for root only. The app's instances are replaced one after the other to take \
them up, as by appctl apply; if one does not come up, the change is taken back. They override env in the app's file; a \
file named by env_file overrides both. uninstall keeps them, uninstall --purge removes them.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// What to do; list by default
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
        /// Also print their values
        #[arg(long)]
        reveal: bool,
    },
    /// Edit all variables in an editor
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

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

type Variables = Vec<(String, String)>;

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let name = apps::select(&context.layout, std::slice::from_ref(&args.name))?.remove(0);
    context.require_root("env")?;
    let app = App::load(context.layout.of(&name))?;
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
