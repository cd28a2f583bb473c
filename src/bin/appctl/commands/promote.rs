//! `appctl promote`: the canaries have shown enough, the other instances follow. Works beside the deploy that watches
//! them, and after one that was left.

use std::time::Duration;

use appctl::host::record::{self, Last};
use appctl::rollout::{Event, Watching};
use appctl::spec::AppName;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::operation::UnderWay;
use crate::rolling::{Interrupts, reopen};
use crate::session::Session;

const LOOK: Duration = Duration::from_millis(50);

/// Runs the verb.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root("promote")?;
    }
    for app in apps::named(&context.layout, &args.names)? {
        if args.dry_run {
            let what = if canaries(&app, context)?.is_some() {
                "would promote the canaries"
            } else {
                "no canaries to promote"
            };
            context.say(&app, what);
        } else {
            one(&app, context).await?;
        }
    }
    Ok(Exit::DONE)
}

async fn one(app: &AppName, context: &Context) -> anyhow::Result<()> {
    let Some(last) = canaries(app, context)? else {
        context.say(app, "no canaries to promote");
        return Ok(());
    };
    if ask(&last, Watching::Canaries, Signal::SIGUSR1)? {
        let operation = UnderWay::new(context, app, "promote");
        moves(&operation, &last);
        operation.ended(&Ok(()));
        let (verb, pid) = (last.record.rollout.verb(), last.record.about.driver.pid);
        context.say(app, &format!("promoted; the {verb} (process {pid}) continues"));
        return Ok(());
    }
    let systemd = context.systemd().await?;
    let session = Session::take(context, &systemd, app, "promote")?;
    session.carry_out(go_on(&session)).await
}

/// In place of the process that was watching.
async fn go_on(session: &Session<'_>) -> anyhow::Result<()> {
    let (context, app) = (session.context, &session.app);
    let mut interrupts = Interrupts::catch()?;
    // Whoever had the lock may have ended it.
    let Some(mut last) = canaries(app, context)? else {
        session.operation.changes_nothing();
        context.say(app, "no canaries to promote");
        return Ok(());
    };
    moves(&session.operation, &last);
    last.record.rollout.promote();
    let spec = apps::in_force(context.layout.of(app))?;
    Box::pin(reopen(
        last,
        &spec,
        Event::Begin,
        &session.hold,
        context,
        session.systemd,
        &mut interrupts,
    ))
    .await
}

fn moves(operation: &UnderWay<'_>, last: &Last) {
    if let Some(change) = &last.record.about.release {
        operation.moves(change.from.as_ref(), &change.to);
    }
}

/// An open rollout with canaries that were not promoted yet.
fn canaries(app: &AppName, context: &Context) -> anyhow::Result<Option<Last>> {
    let last = record::read(context.layout.of(app))?;
    Ok(last.filter(|last| {
        let rollout = &last.record.rollout;
        rollout.state().is_open() && !rollout.is_promoted() && !rollout.is_going_back()
    }))
}

/// Tells the process that drives a rollout, if there is one and it watches just this, what is wanted of it.
fn ask(last: &Last, watching: Watching, signal: Signal) -> anyhow::Result<bool> {
    if !last.driven || last.record.rollout.watching() != Some(watching) {
        return Ok(false);
    }
    // It holds the lock under this number.
    kill(Pid::from_raw(i32::try_from(last.record.about.driver.pid)?), signal)?;
    Ok(true)
}

/// Has the process that watches a new release take it back, and waits until it has. `false` when there is none.
pub(super) async fn take_back(app: &AppName, context: &Context) -> anyhow::Result<bool> {
    let Some(last) = record::read(context.layout.of(app))? else {
        return Ok(false);
    };
    let asked = ask(&last, Watching::Canaries, Signal::SIGUSR2)? || ask(&last, Watching::All, Signal::SIGUSR2)?;
    if !asked {
        return Ok(false);
    }
    let (verb, pid) = (last.record.rollout.verb(), last.record.about.driver.pid);
    context.say(app, &format!("the {verb} (process {pid}) takes it back"));
    loop {
        tokio::time::sleep(LOOK).await;
        match record::read(context.layout.of(app))? {
            Some(now) if now.record.about.started != last.record.about.started => return Ok(true),
            Some(now) if now.record.about.ended.is_none() && now.driven => {}
            Some(now) => return told(app, context, &now),
            None => return Ok(true),
        }
    }
}

fn told(app: &AppName, context: &Context, now: &Last) -> anyhow::Result<bool> {
    let message = now
        .record
        .about
        .message
        .clone()
        .unwrap_or_else(|| "it was interrupted".to_owned());
    if now.record.rollout.state().is_open() {
        return Err(ExpectedError::new(Exit::ROLLOUT_FAILED, format!("{app}: {message}")).into());
    }
    context.say(app, &message);
    Ok(true)
}
