//! `appctl rolling-restart`, and `systemctl reload NAME`: new processes one after the other, no request lost.

use appctl::drive::{Order, Survey, Swap};
use appctl::host::bus::Systemd;
use appctl::host::{record, survey};
use appctl::release::Layout;
use appctl::rollout::{Policy, Request, Verb, plan};
use appctl::spec::{AppName, AppSpec};

use crate::apps;
use crate::args::Apps;
use crate::context::Context;
use crate::exit::Exit;
use crate::rolling::{Interrupts, carry_out, proven, refuse_open_release};
use crate::session::Session;
use crate::units;

/// Runs the verb, app by app. An app that is stopped is started.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root("rolling-restart")?;
    }
    let systemd = context.systemd().await?;
    let mut interrupts = Interrupts::catch()?;
    for app in apps::named(&context.layout, &args.names)? {
        if args.dry_run {
            let (survey, order) = order(&app, context, &systemd).await?;
            show(&app, survey.is_down(), order.request, context);
            continue;
        }
        let session = Session::take(context, &systemd, &app, "rolling-restart")?;
        session.carry_out(one(&session, &mut interrupts)).await?;
    }
    Ok(Exit::DONE)
}

async fn one(session: &Session<'_>, interrupts: &mut Interrupts) -> anyhow::Result<()> {
    let (context, app) = (session.context, &session.app);
    let (survey, order) = order(app, context, session.systemd).await?;
    if survey.is_down() {
        context.say(app, "it is stopped; starting it");
        return session.bring_up(&order.spec).await;
    }
    refuse_open_release(context, app)?;
    note_earlier(app, context)?;
    carry_out(order, &session.hold, context, session.systemd, interrupts).await
}

/// What would be done, given how the instances are.
async fn order(app: &AppName, context: &Context, systemd: &Systemd) -> anyhow::Result<(Survey, Order)> {
    let spec = apps::in_force(context.layout.of(app))?;
    let count = units::count(&spec);
    let survey = survey::take(systemd, app, count).await?;
    let request = request(&spec, count, &survey, &context.layout);
    let swap = Swap::Nothing;
    Ok((survey, Order { spec, request, swap }))
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
    let last = record::read(context.layout.of(app))?;
    // The lock is ours by now, so nobody drives whatever it says.
    if let Some(last) = last.filter(|last| last.record.rollout.state().is_open()) {
        let note = format!(
            "replaces the {} that began {}",
            last.record.rollout.verb(),
            last.record.about.started
        );
        context.say(app, &note);
    }
    Ok(())
}
