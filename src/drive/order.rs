//! A rollout from its order to its end: new ones, and the rest of interrupted ones.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};

use super::done::Run;
use super::driver::Driver;
use super::work::Work;
use super::{Ended, News, Operator, Survey, Swap, World};
use crate::contract::Responses;
use crate::contract::times;
use crate::rollout::{self, About, Event, Record, Request, Rollout};
use crate::spec::{AppSpec, Instance};

/// What is to be rolled.
#[derive(Debug)]
pub struct Order {
    /// The app as it is to be.
    pub spec: AppSpec,
    /// What to do to which instance.
    pub request: Request,
    /// What changes besides processes; has to fit `request.switch`.
    pub swap: Swap,
}

/// A command of the operator's failed before anything was touched.
#[derive(Debug, thiserror::Error)]
#[error("{0}; nothing was touched")]
pub struct NotBegun(String);

/// Carries out an order to its end, whatever that is, as `driver`.
pub async fn begin<W: World, O: Operator>(
    world: &W,
    operator: &mut O,
    order: Order,
    driver: rollout::Driver,
) -> anyhow::Result<Ended> {
    let who: Vec<Instance> = order.request.tasks.iter().map(|task| task.instance()).collect();
    let survey = Survey::of(world, &who).await?;
    let before: Responses = survey.answers().into_values().map(|one| one.responses).sum();
    let about = About {
        release: order.swap.moves(),
        responses_before: before.all,
        errors_before: before.errors,
        shims: survey.main_processes().collect(),
        ..About::new(order.spec.name.clone(), written(world.now()), driver)
    };
    order.swap.remember(world)?;
    let record = Record::new(about, Rollout::new(order.request).replacing(survey.runs()));
    let work = Work::new(world, &order.spec, order.swap);
    drive(Driver::new(record, work, Event::Begin, operator)).await
}

/// Goes on with a rollout that was interrupted, `begin` being [`Event::Begin`], or takes it back: [`Event::Abort`]. Its
/// app has `count` instances. The record says which process drives it from now on.
pub async fn reopen<W: World, O: Operator>(
    world: &W,
    operator: &mut O,
    mut record: Record,
    (spec, count): (&AppSpec, u16),
    begin: Event,
) -> anyhow::Result<Ended> {
    let runs = look_again(world, &mut record, spec).await?;
    let swap = Swap::recalled(world, &record, count)?;
    let begin = if record.rollout.is_going_back() {
        Event::Abort
    } else {
        begin
    };
    let work = Work::new(world, spec, swap);
    let mut driver = Driver::new(record, work, begin, operator);
    driver.runs = runs;
    drive(driver).await
}

type Runs = BTreeMap<Instance, Run>;

/// Finds out what is left to do; the runs of what was done that is up.
async fn look_again(world: &impl World, record: &mut Record, spec: &AppSpec) -> anyhow::Result<Runs> {
    let who = with_surge(&record.rollout);
    let survey = Survey::settled(world, &who, times::drain_and_start(spec)).await?;
    record.about.shims.extend(survey.main_processes());
    let release = record.about.release.as_ref().map(|change| &change.to);
    record.rollout.reopen(&survey.seen(release));
    let since = world.now();
    let runs = survey.runs().into_iter().filter(|(who, _)| record.rollout.is_up(*who));
    Ok(runs.map(|(who, id)| (who, Run { id, since })).collect())
}

async fn drive<W: World, O: Operator>(driver: Driver<'_, W, O>) -> anyhow::Result<Ended> {
    let (world, record) = (driver.work.world, &driver.record);
    match driver.work.hooks.before(world, record).await {
        Err(why) if driver.wanted == Event::Begin => {
            return Err(NotBegun(format!("{}: {why}", record.about.app)).into());
        }
        // Nothing may keep an operator from going back.
        _ => {}
    }
    world.watch(&with_surge(&record.rollout)).await?;
    driver.operator.tell(News::Begins(&driver.record));
    Box::pin(driver.drive()).await
}

fn with_surge(rollout: &Rollout) -> Vec<Instance> {
    rollout.instances().chain([Instance::Surge]).collect()
}

/// A time as records have it: RFC 3339, in milliseconds.
pub fn written(time: Timestamp) -> String {
    time.round(Unit::Millisecond).unwrap_or(time).to_string()
}
