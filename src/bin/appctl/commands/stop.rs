//! `appctl stop`: requests in flight are finished, then the port closes. Returns when nothing is left, as
//! `systemctl stop` does, and says what it waits for.

use appctl::host::bus::Systemd;
use appctl::spec::AppName;
use futures_util::future::join_all;

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;
use crate::{between, takedown, units};

/// Runs the verb.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root("stop")?;
    }
    let systemd = context.systemd().await?;
    let apps = apps::named(&context.layout, &args.names)?;
    let results = join_all(apps.iter().map(|app| one(app, args.dry_run, context, &systemd))).await;
    results.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    Ok(Exit::DONE)
}

async fn one(app: &AppName, dry_run: bool, context: &Context, systemd: &Systemd) -> anyhow::Result<()> {
    takedown::refuse_foreign(systemd, app).await?;
    let up = takedown::up(systemd, app).await?;
    if up.is_empty() {
        if !dry_run {
            between::end(context.layout.of(app))?;
        }
        context.say(app, "it is already stopped");
        return Ok(());
    }
    if dry_run {
        context.say(app, &format!("would stop {}", up.join(", ")));
        return Ok(());
    }
    let session = Session::take(context, systemd, app, "stop")?;
    session.carry_out(stop(&session, &up)).await
}

async fn stop(session: &Session<'_>, up: &[String]) -> anyhow::Result<()> {
    let (context, app) = (session.context, &session.app);
    let is_instance = |unit: &str| units::instance_of(app, unit).is_some();
    let waits = up.iter().filter(|unit| is_instance(unit)).count();
    if waits > 0 {
        context.say(app, &format!("waiting for {} to drain", plural(waits)));
    }
    let ended = |unit: &str| {
        if is_instance(unit) {
            context.say(app, &format!("{unit} is stopped"));
        }
    };
    session.stop_all(&ended).await?;
    between::end(context.layout.of(app))?;
    context.say(app, "stopped");
    Ok(())
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 instance".to_owned(),
        many => format!("{many} instances"),
    }
}
