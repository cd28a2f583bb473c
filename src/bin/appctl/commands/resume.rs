//! `appctl resume` and `appctl abort`: the two ways out of a rollout that was interrupted.

use appctl::host::bus::Systemd;
use appctl::host::record::{self, Last};
use appctl::rollout::{Event, State};
use appctl::spec::AppName;

use crate::apps;
use crate::args::Apps;
use crate::commands::promote;
use crate::context::Context;
use crate::exit::Exit;
use crate::rolling::{Hold, Interrupts, reopen};

/// Runs `resume`: goes on where it stopped.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    each(args, context, "resume", Event::Begin).await
}

/// Runs `abort`: goes back where there is a way back, and takes the surge instance away.
pub(crate) async fn abort(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    each(args, context, "abort", Event::Abort).await
}

async fn each(args: &Apps, context: &Context, verb: &str, begin: Event) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root(verb)?;
    }
    let systemd = context.systemd().await?;
    let mut interrupts = Interrupts::catch()?;
    for app in apps::named(&context.layout, &args.names)? {
        if args.dry_run {
            show(&app, verb, context)?;
        } else {
            one(&app, verb, begin.clone(), context, &systemd, &mut interrupts).await?;
        }
    }
    Ok(Exit::DONE)
}

async fn one(
    app: &AppName,
    verb: &str,
    begin: Event,
    context: &Context,
    systemd: &Systemd,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    if begin == Event::Abort && promote::take_back(app, context).await? {
        return Ok(());
    }
    let hold = Hold::take(context, app, verb)?;
    let Some(last) = open(app, verb, context)? else {
        context.say(app, &format!("nothing to {verb}"));
        return Ok(());
    };
    let spec = apps::in_force(&context.layout, app)?;
    reopen(last, &spec, begin, &hold, context, systemd, interrupts).await
}

fn show(app: &AppName, verb: &str, context: &Context) -> anyhow::Result<()> {
    let text = match open(app, verb, context)? {
        Some(last) if last.driven => format!("the {} is still running", last.record.rollout.verb()),
        Some(last) => format!(
            "would {verb} the {} that began {} and got to: {}",
            last.record.rollout.verb(),
            last.record.about.started,
            last.record.rollout.step_name()
        ),
        None => format!("nothing to {verb}"),
    };
    context.say(app, &text);
    Ok(())
}

/// The last rollout, when the verb has something to do with it. One that failed half way can be aborted only.
fn open(app: &AppName, verb: &str, context: &Context) -> anyhow::Result<Option<Last>> {
    let last = record::read(&context.layout, app)?;
    Ok(last.filter(|last| match last.record.rollout.state() {
        State::Stopped => verb == "abort",
        state => state.is_open(),
    }))
}
