//! `appctl stop`: requests in flight are finished, then the port closes. Returns when nothing is left, as
//! `systemctl stop` does, and says what it waits for.

use std::time::Duration;

use appctl::host::bus::{JobResult, Systemd};
use appctl::spec::AppName;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::rolling::Hold;
use crate::{lifecycle, units};

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
    let pattern = format!("{app}@*.service");
    let up = systemd
        .units(&[&pattern, &units::service(app), &units::socket(app)])
        .await?;
    let up: Vec<String> = up
        .into_iter()
        .filter(|unit| !unit.activity.is_down())
        .map(|unit| unit.name)
        .collect();
    if up.is_empty() {
        context.say(app, "it is stopped already");
        return Ok(());
    }
    systemd.prove_all(&up).await?;
    if dry_run {
        context.say(app, &format!("would stop {}", up.join(", ")));
        return Ok(());
    }
    let _hold = Hold::take(context, app, "stop")?;
    stop(app, patience(app, context), &up, context, systemd).await
}

/// The socket goes in the same breath: while instances drain, a connection to it would start the app anew.
async fn stop(
    app: &AppName,
    deadline: Duration,
    up: &[String],
    context: &Context,
    systemd: &Systemd,
) -> anyhow::Result<()> {
    let socket = units::socket(app);
    let (socket, others): (Vec<&String>, Vec<&String>) = up.iter().partition(|unit| **unit == socket);
    let is_instance = |unit: &str| units::instance_of(app, unit).is_some();
    let waits = others.iter().filter(|unit| is_instance(unit)).count();
    if waits > 0 {
        context.say(app, &format!("waits for {} to finish what they serve", plural(waits)));
    }
    let mut stopping: FuturesUnordered<_> = socket
        .into_iter()
        .chain(others)
        .map(async |unit| (unit, systemd.stop(unit, deadline).await))
        .collect();
    while let Some((unit, result)) = stopping.next().await {
        match result? {
            JobResult::Done if is_instance(unit) => context.say(app, &format!("{unit} is stopped")),
            JobResult::Done => {}
            other => return Err(ExpectedError::new(Exit::FAILED, format!("{unit} did not stop: {other}")).into()),
        }
    }
    // It goes by itself, but a start that finds it still there would find the socket refusing to listen.
    let hold = systemd.units(&[&units::hold(app)]).await?;
    let hold: Vec<String> = hold.into_iter().map(|unit| unit.name).collect();
    lifecycle::stop(systemd, Duration::ZERO, &hold).await?;
    context.say(app, "stopped");
    Ok(())
}

/// An app whose file can no longer be read can be stopped, too.
fn patience(app: &AppName, context: &Context) -> Duration {
    let spec = apps::in_force(&context.layout, app);
    spec.map_or(lifecycle::LONG_STOP, |spec| 2 * spec.stop.timeout + lifecycle::MARGIN)
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 instance".to_owned(),
        many => format!("{many} instances"),
    }
}
