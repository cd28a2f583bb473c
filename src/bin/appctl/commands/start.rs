//! `appctl start` and `appctl restart`: whole apps at once, until every instance is ready.

use appctl::host::bus::Systemd;
use appctl::host::survey;
use appctl::spec::{AppName, AppSpec};
use futures_util::future::join_all;

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::session::Session;
use crate::{between, units};

/// Runs `start`.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    each(args, context, Verb::Start).await
}

/// Runs `restart`: all instances at once, while requests wait in the socket.
pub(crate) async fn restart(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    each(args, context, Verb::Restart).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Start,
    Restart,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Restart => "restart",
        }
    }
}

/// Apps do not wait for each other; the first problem is the error, after all have ended.
async fn each(args: &Apps, context: &Context, verb: Verb) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root(verb.word())?;
    }
    let systemd = context.systemd().await?;
    let apps = apps::named(&context.layout, &args.names)?;
    if args.dry_run {
        apps.iter().try_for_each(|app| show(app, verb, context))?;
        return Ok(Exit::DONE);
    }
    let results = join_all(apps.iter().map(|app| one(app, verb, context, &systemd))).await;
    results.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    Ok(Exit::DONE)
}

fn show(app: &AppName, verb: Verb, context: &Context) -> anyhow::Result<()> {
    let spec = apps::in_force(context.layout.of(app))?;
    let all = units::whole(app, units::count(&spec)).join(", ");
    context.say(app, &format!("would {} {all}", verb.word()));
    Ok(())
}

async fn one(app: &AppName, verb: Verb, context: &Context, systemd: &Systemd) -> anyhow::Result<()> {
    let spec = apps::in_force(context.layout.of(app))?;
    let session = Session::take(context, systemd, app, verb.word())?;
    session.carry_out(bring_up(&session, &spec, verb)).await
}

async fn bring_up(session: &Session<'_>, spec: &AppSpec, verb: Verb) -> anyhow::Result<()> {
    let (context, app) = (session.context, &session.app);
    let count = units::count(spec);
    let survey = survey::take(session.systemd, app, count).await?;
    if !survey.is_loaded() {
        let error = ExpectedError::new(Exit::FAILED, format!("systemd has no units of {app}"));
        return Err(error.help(format!("type: sudo appctl apply {app}")).into());
    }
    match verb {
        Verb::Start if survey.ailing().is_empty() => {
            session.operation.changes_nothing();
            context.say(app, "all instances are already ready");
            return Ok(());
        }
        Verb::Start => session.bring_up(spec).await?,
        Verb::Restart => session.restart(spec).await?,
    }
    between::end(context.layout.of(app))?;
    context.say(app, &format!("{count} ready"));
    Ok(())
}
