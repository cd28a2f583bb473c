//! `appctl start` and `appctl restart`: whole apps at once, until every instance is ready.

use appctl::contract::times;
use appctl::host::bus::Systemd;
use appctl::spec::AppName;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::rolling::{Hold, Survey};
use crate::{between, lifecycle, units};

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
    let results = join_all(apps.iter().map(|app| one(app, verb, args.dry_run, context, &systemd))).await;
    results.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    Ok(Exit::DONE)
}

async fn one(app: &AppName, verb: Verb, dry_run: bool, context: &Context, systemd: &Systemd) -> anyhow::Result<()> {
    let spec = apps::in_force(&context.layout, app)?;
    let count = units::count(&spec);
    let all = units::whole(app, count);
    if dry_run {
        context.say(app, &format!("would {} {}", verb.word(), all.join(", ")));
        return Ok(());
    }
    let _hold = Hold::take(context, app, verb.word())?;
    let survey = Survey::take(systemd, app, count).await?;
    if !survey.is_loaded() {
        let error = ExpectedError::new(Exit::FAILED, format!("systemd has no units of {app}"));
        return Err(error.help(format!("type: appctl apply {app}")).into());
    }
    if verb == Verb::Start && survey.ailing().is_empty() {
        context.say(app, "all instances are ready already");
        return Ok(());
    }
    let since = Timestamp::now();
    if verb == Verb::Restart {
        systemd
            .restart(&units::service(app), times::worst_app_restart(&spec))
            .await?;
    }
    // Jobs that the app's own unit has queued are joined, not repeated.
    lifecycle::start(systemd, &spec, &all, since).await?;
    between::end(&context.layout, app)?;
    context.say(app, &format!("{count} ready"));
    Ok(())
}
