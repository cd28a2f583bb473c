//! One file per verb, each with its `Args` and `run(&Args, &Context)`.

use crate::args::Command;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod install;
pub(crate) mod logs;
pub(crate) mod scale;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod uninstall;

/// Runs one verb.
pub(crate) async fn run(command: &Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Install(args) => install::run(args, context).await,
        Command::Uninstall(args) => uninstall::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Scale(args) => scale::run(args, context).await,
        Command::Logs(args) => logs::run(args, context).await,
        Command::Apply(args) => apply::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::CanRead(args) => access::run(args),
        Command::Show(args) => show::run(args, context).await,
        // MERGE rollout: start, stop, restart, rolling_restart, resume and abort come with their modules.
        Command::Start(_)
        | Command::Stop(_)
        | Command::Restart(_)
        | Command::RollingRestart(_)
        | Command::Resume(_)
        | Command::Abort(_) => Err(ExpectedError::new(Exit::FAILED, "this verb comes with the rollout branch").into()),
    }
}
