//! A rollout from its order to its exit code: new ones, and the rest of interrupted ones.

use std::collections::BTreeMap;

use appctl::contract::times;
use appctl::host::bus::Systemd;
use appctl::host::record::Last;
use appctl::observe::Responses;
use appctl::rollout::{Event, Past, Record, Request, Rollout, State};
use appctl::spec::{AppSpec, Instance};
use jiff::Timestamp;

use super::driver::{Driver, Ended, Run};
use super::progress::Progress;
use super::work::Work;
use super::{Hold, Interrupts, Survey, Swap, verdict};
use crate::account;
use crate::context::Context;
use crate::units;

/// What is to be rolled.
#[derive(Debug)]
pub(crate) struct Order {
    /// The app as it is to be.
    pub(crate) spec: AppSpec,
    /// What to do to which instance.
    pub(crate) request: Request,
    /// What changes besides processes; has to fit `request.switch`.
    pub(crate) swap: Swap,
}

/// Carries out an order to its end, whatever that is, and says so.
pub(crate) async fn carry_out(
    order: Order,
    hold: &Hold,
    context: &Context,
    systemd: &Systemd,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let app = order.spec.name.clone();
    let who: Vec<Instance> = order.request.tasks.iter().map(|task| task.instance()).collect();
    let survey = Survey::of(systemd, &app, &who).await?;
    let by = (hold.owner.user.clone(), hold.owner.pid);
    let mut record = Record::new(super::hold::now(), app.to_string(), by, &order.request, &survey.runs());
    let before: Responses = survey.answers().into_values().map(|one| one.responses).sum();
    (record.responses_before, record.errors_before) = (before.all, before.errors);
    record.shims = survey.main_processes().collect();
    record.pid_began = hold.owner.began;
    record.release = order.swap.moves();
    order.swap.remember(&context.layout, &app)?;
    let rollout = Rollout::new(order.request);
    let spec = order.spec;
    let work = Work::new(systemd, &context.layout, &spec, order.swap);
    let ended = drive(
        rollout,
        record,
        work,
        Event::Begin,
        BTreeMap::new(),
        context,
        interrupts,
    )
    .await?;
    verdict::result(ended, context, &spec)?;
    // All processes are new ones, so what an older appctl made need not be shared with old ones any longer.
    if let Err(error) = account::adopt_for(context, &spec) {
        context.say(&app, &format!("its releases keep their group for now: {error:#}"));
    }
    Ok(())
}

/// Goes on with a rollout that was interrupted, or takes it back.
pub(crate) async fn reopen(
    last: Last,
    spec: &AppSpec,
    begin: Event,
    hold: &Hold,
    context: &Context,
    systemd: &Systemd,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let mut record = last.record;
    let (request, past, runs) = rest(&mut record, spec, systemd).await?;
    let swap = Swap::recalled(&context.layout, &spec.name, &record, units::count(spec))?;
    record.state = State::Running;
    record.ended = None;
    (record.by, record.pid) = (hold.owner.user.clone(), hold.owner.pid);
    record.pid_began = hold.owner.began;
    let begin = if record.going_back { Event::Abort } else { begin };
    let work = Work::new(systemd, &context.layout, spec, swap);
    let rollout = Rollout::resumed(request, past);
    let ended = drive(rollout, record, work, begin, runs, context, interrupts).await?;
    verdict::result(ended, context, spec)
}

type Runs = BTreeMap<Instance, Run>;

/// What is left to do, what was done, and the runs of what that brought up.
async fn rest(record: &mut Record, spec: &AppSpec, systemd: &Systemd) -> anyhow::Result<(Request, Past, Runs)> {
    let instances = record.instances.iter().filter_map(|entry| entry.instance.parse().ok());
    let who: Vec<Instance> = instances.chain([Instance::Surge]).collect();
    let survey = Survey::settled(systemd, &spec.name, &who, times::drain_and_start(spec)).await?;
    record.shims.extend(survey.main_processes());
    let release = record.release.as_ref().map(|change| change.to.as_str());
    let (request, past) = record.rest(&survey.seen(release));
    let since = Timestamp::now();
    let up = |who: &Instance| past.alive.get(who) == Some(&true);
    let runs = survey.runs().into_iter().filter(|(who, _)| up(who));
    let runs = runs.map(|(who, id)| (who, Run { id, since })).collect();
    Ok((request, past, runs))
}

async fn drive(
    rollout: Rollout,
    record: Record,
    work: Work,
    begin: Event,
    runs: Runs,
    context: &Context,
    interrupts: &mut Interrupts,
) -> anyhow::Result<Ended> {
    match work.hooks.before(&record).await {
        Err(error) if begin == Event::Begin => return Err(error),
        // Nothing may keep an operator from going back.
        _ => {}
    }
    let instances = record.instances.iter().filter_map(|entry| entry.instance.parse().ok());
    let who = instances.chain([Instance::Surge]);
    let names: Vec<String> = who.map(|instance| units::instance(&work.app, instance)).collect();
    let watch = work.systemd.watch(&names).await?;
    let driver = Driver {
        rollout,
        progress: Progress::new(&record, context.json),
        record,
        work,
        interrupts,
        watch,
        wanted: begin,
        refused: false,
        watched: None,
        first: None,
        runs,
    };
    Box::pin(driver.drive()).await
}
