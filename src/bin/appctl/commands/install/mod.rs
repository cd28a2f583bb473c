//! `appctl install`: finds what to run, checks everything, then installs an app and waits until it serves.

use std::path::PathBuf;

use appctl::spec::{Allowed, AppName, Instances, Level, Listen};

use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;
use crate::takedown;

mod account;
mod command_line;
mod discover;
mod environment;
mod package_json;
mod perform;
mod plan;
mod procfile;
mod program;
mod refuse;
mod report;
mod undo;

/// What `install` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cd ~/myapp && sudo appctl install myapp --instances 4 --user work
  sudo appctl install myapp /srv/myapp --listen 8080
  sudo appctl install myapp /srv/myapp --in-place --env NODE_ENV=production -- node server.js
  sudo appctl install myapp --dry-run

What to run is taken from --exec or --, else from a Procfile (web:), else from package.json (scripts.start, main), \
else it is index.js, server.js or app.js. Without --listen, a Node app gets the port in its variable PORT, else 3000. \
The directory is copied to /var/lib/appctl/NAME/releases; later changes to it do not affect the app. Everything is \
checked before anything is changed, and an app that does not come up is removed again.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
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

    /// How many instances: a number, max (one per processor) or max-1
    #[arg(long, short, value_name = "N|max", default_value = "1", allow_hyphen_values = true, value_parser = instances)]
    pub(crate) instances: Instances,

    /// Run as this user, created as a system account if missing; without it, the app gets an account of its own
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Run with this primary group
    #[arg(long, value_name = "GROUP", requires = "user")]
    pub(crate) group: Option<String>,

    /// Listen on this port, address:port or path of a unix socket; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<Listen>,

    /// Hold no socket: the app is a worker that takes no connections
    #[arg(long, conflicts_with = "listen")]
    pub(crate) no_listen: bool,

    /// Environment variable of the app; may be repeated
    #[arg(long, value_name = "K=V", value_parser = environment::variable)]
    pub(crate) env: Vec<(String, String)>,

    /// File of environment variables of the app
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// Run the app in this directory, without copying it
    #[arg(long)]
    pub(crate) in_place: bool,

    /// What proves that an instance is ready: listening, notify, message, started, or a path to probe, such as /health
    #[arg(long, value_name = "PROOF")]
    pub(crate) ready: Option<ReadyProof>,

    /// Level of the sandbox: standard, strict or off
    #[arg(long, value_name = "LEVEL", default_value = "standard")]
    pub(crate) sandbox: Level,

    /// Let the app do something that its sandbox forbids, such as namespaces or debug; may be repeated
    #[arg(long, value_name = "WORD")]
    pub(crate) allow: Vec<Allowed>,

    /// Let the app write to a path that its sandbox makes read-only; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) write: Vec<PathBuf>,

    /// Let the app run as root
    #[arg(long)]
    pub(crate) allow_root: bool,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `--ready`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadyProof {
    /// One of the words of `[ready] when`.
    Word(&'static str),
    /// `GET` of this path answers 200.
    Path(String),
}

impl std::str::FromStr for ReadyProof {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WORDS: [&str; 4] = ["listening", "notify", "message", "started"];
        match WORDS.into_iter().find(|word| *word == text) {
            Some(word) => Ok(Self::Word(word)),
            None if text.starts_with('/') => Ok(Self::Path(text.to_owned())),
            None => Err("expected listening, notify, message, started or a path such as /health"),
        }
    }
}

fn instances(text: &str) -> Result<Instances, String> {
    let number = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u16>().ok().filter(|_| plain)
    };
    let instances = match text.strip_prefix("max") {
        Some("") => Some(Instances::Max { less: 0 }),
        Some(rest) => rest
            .strip_prefix('-')
            .and_then(number)
            .map(|less| Instances::Max { less }),
        None => number(text)
            .filter(|number| (1..=Instances::MOST).contains(number))
            .map(Instances::Fixed),
    };
    instances.ok_or_else(expected_instances)
}

fn expected_instances() -> String {
    format!("expected a number from 1 to {}, max or max-1", Instances::MOST)
}

/// Runs the verb.
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root("install")?;
    }
    refuse::installed(context, &args.name)?;
    let plan = plan::make(args, context)?;
    if args.dry_run {
        refuse::taken_addresses(&plan.spec)?;
        report::plan(context, &plan)?;
        return Ok(Exit::DONE);
    }
    let systemd = context.systemd().await?;
    refuse::existing_units(&systemd, &args.name).await?;
    account::check(&plan)?;
    // An earlier installation whose files went before what they had started may hold its port.
    let left = !takedown::up(&systemd, &args.name).await?.is_empty();
    if !left {
        refuse::taken_addresses(&plan.spec)?;
    }
    let session = Session::take(context, &systemd, &args.name, "install")?;
    let done = session
        .carry_out(async {
            session.clear().await?;
            if left {
                refuse::taken_addresses(&plan.spec)?;
            }
            let account = account::ensure(context, &plan)?;
            Box::pin(perform::install(&session, &plan, &account)).await
        })
        .await?;
    report::done(context, &plan, &done)?;
    Ok(Exit::DONE)
}
