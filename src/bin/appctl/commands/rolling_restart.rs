//! `appctl rolling-restart`, and `systemctl reload NAME`: new processes one after the other, no request lost.

use appctl::host::bus::Systemd;
use appctl::host::record;
use appctl::release::Layout;
use appctl::rollout::{Policy, Request, Verb, plan};
use appctl::spec::{AppName, AppSpec};
use jiff::Timestamp;

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::Exit;
use crate::rolling::{Hold, Interrupts, Order, Survey, Swap, carry_out, proven, refuse_open_release};
use crate::{lifecycle, units};

/// Runs the verb, app by app. An app that is stopped is started.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root("rolling-restart")?;
    }
    let systemd = context.systemd().await?;
    let mut interrupts = Interrupts::catch()?;
    for app in apps::named(&context.layout, &args.names)? {
        one(&app, args.dry_run, context, &systemd, &mut interrupts).await?;
    }
    Ok(Exit::DONE)
}

async fn one(
    app: &AppName,
    dry_run: bool,
    context: &Context,
    systemd: &Systemd,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let hold = if dry_run {
        None
    } else {
        Some(Hold::take(context, app, "rolling-restart")?)
    };
    let spec = apps::in_force(&context.layout, app)?;
    let count = units::count(&spec);
    let survey = Survey::take(systemd, app, count).await?;
    let request = request(&spec, count, &survey, &context.layout);
    let Some(hold) = hold else {
        show(app, survey.is_down(), request, context);
        return Ok(());
    };
    if survey.is_down() {
        context.say(app, "it is stopped; starting it");
        lifecycle::start(systemd, &spec, &units::whole(app, count), Timestamp::now()).await?;
        return Ok(());
    }
    refuse_open_release(context, app)?;
    note_earlier(app, context)?;
    let swap = Swap::Nothing;
    let order = Order { spec, request, swap };
    carry_out(order, &hold, context, systemd, interrupts).await
}

fn request(spec: &AppSpec, count: u16, survey: &Survey, layout: &Layout) -> Request {
    let policy = Policy {
        surge: spec.surge,
        settle: proven::settle(spec, layout, survey),
    };
    Request::new(Verb::RollingRestart, (count, count), true, survey.ailing(), policy)
}

fn show(app: &AppName, down: bool, request: Request, context: &Context) {
    if down {
        context.say(app, "would start it, since it is stopped");
        return;
    }
    for step in plan(request) {
        context.say(app, &format!("would {step}"));
    }
}

/// A new rollout of everything takes the place of one that was left half way.
fn note_earlier(app: &AppName, context: &Context) -> anyhow::Result<()> {
    let last = record::read(&context.layout, app)?;
    // The lock is ours by now, so nobody drives whatever it says.
    if let Some(last) = last.filter(|last| last.record.rollout.state().is_open()) {
        let note = format!(
            "takes the place of the {} that began {}",
            last.record.rollout.verb(),
            last.record.about.started
        );
        context.say(app, &note);
    }
    Ok(())
}
