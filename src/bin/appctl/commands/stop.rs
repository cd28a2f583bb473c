//! `appctl stop`: requests in flight are finished, then the port closes. Returns when nothing is left, whereas
//! systemctl(1) returns while instances still drain.

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
    if dry_run {
        context.say(app, &format!("would stop {}", up.join(", ")));
        return Ok(());
    }
    let _hold = Hold::take(context, app, "stop")?;
    stop(app, patience(app, context), &up, context, systemd).await
}

/// The app's own unit first: it says to systemd that the others are to go, too.
async fn stop(
    app: &AppName,
    deadline: Duration,
    up: &[String],
    context: &Context,
    systemd: &Systemd,
) -> anyhow::Result<()> {
    systemd.stop(&units::service(app), deadline).await?;
    let instances = up.iter().filter(|unit| units::instance_of(app, unit).is_some());
    let mut stopping: FuturesUnordered<_> = instances
        .map(async |unit| (unit, systemd.stop(unit, deadline).await))
        .collect();
    if !stopping.is_empty() {
        context.say(
            app,
            &format!("waits for {} to finish what they serve", plural(stopping.len())),
        );
    }
    while let Some((unit, result)) = stopping.next().await {
        match result? {
            JobResult::Done => context.say(app, &format!("{unit} is stopped")),
            other => return Err(ExpectedError::new(Exit::FAILED, format!("{unit} did not stop: {other}")).into()),
        }
    }
    // It closes by itself once nothing needs it; asking only makes sure that it has.
    systemd.stop(&units::socket(app), deadline).await?;
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
