//! A rollout from its order to its exit code: new ones, and the rest of interrupted ones.

use std::collections::BTreeMap;

use appctl::contract::times;
use appctl::host::bus::Systemd;
use appctl::host::record::Last;
use appctl::observe::Responses;
use appctl::rollout::{About, Event, Record, Request, Rollout};
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
    let before: Responses = survey.answers().into_values().map(|one| one.responses).sum();
    let about = About {
        release: order.swap.moves(),
        responses_before: before.all,
        errors_before: before.errors,
        shims: survey.main_processes().collect(),
        ..About::new(app.clone(), super::hold::now(), hold.driver())
    };
    order.swap.remember(&context.layout, &app)?;
    let record = Record::new(about, Rollout::new(order.request).replacing(survey.runs()));
    let spec = order.spec;
    let work = Work::new(systemd, &context.layout, &spec, order.swap);
    let ended = drive(record, work, Event::Begin, BTreeMap::new(), context, interrupts).await?;
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
    let runs = look_again(&mut record, spec, systemd).await?;
    let swap = Swap::recalled(&context.layout, &spec.name, &record, units::count(spec))?;
    record.hand_over(hold.driver());
    let begin = if record.rollout.is_going_back() {
        Event::Abort
    } else {
        begin
    };
    let work = Work::new(systemd, &context.layout, spec, swap);
    let ended = drive(record, work, begin, runs, context, interrupts).await?;
    verdict::result(ended, context, spec)
}

type Runs = BTreeMap<Instance, Run>;

/// Finds out what is left to do; the runs of what was done that is up.
async fn look_again(record: &mut Record, spec: &AppSpec, systemd: &Systemd) -> anyhow::Result<Runs> {
    let who: Vec<Instance> = record.rollout.instances().chain([Instance::Surge]).collect();
    let survey = Survey::settled(systemd, &spec.name, &who, times::drain_and_start(spec)).await?;
    record.about.shims.extend(survey.main_processes());
    let release = record.about.release.as_ref().map(|change| &change.to);
    record.rollout.reopen(&survey.seen(release));
    let since = Timestamp::now();
    let runs = survey.runs().into_iter().filter(|(who, _)| record.rollout.is_up(*who));
    Ok(runs.map(|(who, id)| (who, Run { id, since })).collect())
}

async fn drive(
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
    let who = record.rollout.instances().chain([Instance::Surge]);
    let names: Vec<String> = who.map(|instance| units::instance(&work.app, instance)).collect();
    let watch = work.systemd.watch(&names).await?;
    let driver = Driver {
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
