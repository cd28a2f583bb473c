//! One file per verb, each with its `Args` and `run(&Args, &Context)`.

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod as_user;
pub(crate) mod check;
pub(crate) mod deploy;
pub(crate) mod env;
pub(crate) mod install;
pub(crate) mod logs;
pub(crate) mod move_out;
pub(crate) mod promote;
pub(crate) mod prune;
pub(crate) mod read_source;
pub(crate) mod releases;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod rolling_restart;
pub(crate) mod scale;
pub(crate) mod show;
pub(crate) mod stage;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod uninstall;
pub(crate) mod unpack;

/// Runs one verb.
pub(crate) async fn run(command: &Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Install(args) => install::run(args, context).await,
        Command::Uninstall(args) => uninstall::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Scale(args) => Box::pin(scale::run(args, context)).await,
        Command::Logs(args) => logs::run(args, context).await,
        Command::Apply(args) => apply::run(args, context).await,
        Command::Deploy(args) => Box::pin(deploy::run(args, context)).await,
        Command::Rollback(args) => Box::pin(rollback::run(args, context)).await,
        Command::Releases(args) => releases::run(args, context),
        Command::Prune(args) => prune::run(args, context).await,
        Command::Promote(args) => promote::run(args, context).await,
        Command::Env(args) => Box::pin(env::run(args, context)).await,
        Command::Check(args) => check::run(args, context).await,
        Command::CanRead(args) => access::run(args),
        Command::Unpack(args) => unpack::run(args),
        Command::ReadSource(args) => read_source::run(args),
        Command::AsUser(args) => as_user::run(args),
        Command::MoveOut => move_out::run(context),
        Command::Stage(args) => stage::run(args, context).await,
        Command::Show(args) => show::run(args, context).await,
        Command::Start(args) => start::run(args, context).await,
        Command::Stop(args) => stop::run(args, context).await,
        Command::Restart(args) => start::restart(args, context).await,
        Command::RollingRestart(args) => rolling_restart::run(args, context).await,
        Command::Resume(args) => resume::run(args, context).await,
        Command::Abort(args) => resume::abort(args, context).await,
    }
}
