//! `appctl resume` and `appctl abort`: the two ways out of a rollout that was interrupted.

use appctl::host::record::{self, Last};
use appctl::rollout::{Event, Move, State};
use appctl::spec::AppName;

use crate::apps;
use crate::args::Apps;
use crate::commands::promote;
use crate::context::Context;
use crate::exit::Exit;
use crate::operation::UnderWay;
use crate::rolling::{Interrupts, reopen};
use crate::session::Session;

/// Runs `resume`: goes on where it stopped.
pub(crate) async fn run(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    each(args, context, Way::Resume).await
}

/// Runs `abort`: goes back where there is a way back, and takes the surge instance away.
pub(crate) async fn abort(args: &Apps, context: &Context) -> anyhow::Result<Exit> {
    each(args, context, Way::Abort).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Resume,
    Abort,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Abort => "abort",
        }
    }

    fn begin(self) -> Event {
        match self {
            Self::Resume => Event::Begin,
            Self::Abort => Event::Abort,
        }
    }
}

async fn each(args: &Apps, context: &Context, way: Way) -> anyhow::Result<Exit> {
    if !args.dry_run {
        context.require_root(way.verb())?;
    }
    let systemd = context.systemd().await?;
    let mut interrupts = Interrupts::catch()?;
    for app in apps::named(&context.layout, &args.names)? {
        if args.dry_run {
            show(&app, way.verb(), context)?;
            continue;
        }
        if way == Way::Abort && taken_back(&app, context).await? {
            continue;
        }
        let session = Session::take(context, &systemd, &app, way.verb())?;
        session.carry_out(one(&session, way, &mut interrupts)).await?;
    }
    Ok(Exit::DONE)
}

/// By the process that watches the new release. `false` when there is none.
async fn taken_back(app: &AppName, context: &Context) -> anyhow::Result<bool> {
    let taken = promote::take_back(app, context).await;
    if !matches!(taken, Ok(false)) {
        UnderWay::new(context, app, Way::Abort.verb()).ended(&taken);
    }
    taken
}

async fn one(session: &Session<'_>, way: Way, interrupts: &mut Interrupts) -> anyhow::Result<()> {
    let (context, app) = (session.context, &session.app);
    let Some(last) = open(app, way.verb(), context)? else {
        session.operation.changes_nothing();
        context.say(app, &format!("nothing to {}", way.verb()));
        return Ok(());
    };
    match (way, &last.record.about.release) {
        (Way::Resume, Some(Move { from, to })) => session.operation.moves(from.as_ref(), to),
        (Way::Abort, Some(Move { from: Some(from), to })) => session.operation.moves(Some(to), from),
        _ => {}
    }
    let spec = apps::in_force(context.layout.of(app))?;
    let (hold, systemd) = (&session.hold, session.systemd);
    reopen(last, &spec, way.begin(), hold, context, systemd, interrupts).await
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
    let last = record::read(context.layout.of(app))?;
    Ok(last.filter(|last| match last.record.rollout.state() {
        State::Stopped => verb == "abort",
        state => state.is_open(),
    }))
}
