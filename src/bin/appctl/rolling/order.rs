//! A rollout under this process's lock, up to its exit code.

use appctl::drive::{self, NotBegun, Order};
use appctl::host::bus::Systemd;
use appctl::host::record::Last;
use appctl::host::world::ThisMachine;
use appctl::rollout::Event;
use appctl::spec::AppSpec;

use super::console::Console;
use super::{Hold, Interrupts, verdict};
use crate::account;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::units;

/// Carries out an order to its end, whatever that is, and says so.
pub(crate) async fn carry_out(
    order: Order,
    hold: &Hold,
    context: &Context,
    systemd: &Systemd,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let spec = order.spec.clone();
    let world = ThisMachine::new(systemd, &context.layout, &spec);
    let mut console = Console::new(&spec.name, context.json, interrupts);
    let ended = drive::begin(&world, &mut console, order, hold.driver()).await;
    verdict::result(ended.map_err(expected)?, context, &spec)?;
    // All processes are new ones, so what an older appctl made need not be shared with old ones any longer.
    if let Err(error) = account::adopt_for(context, &spec) {
        context.say(&spec.name, &format!("its releases keep their group for now: {error:#}"));
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
    record.hand_over(hold.driver());
    let world = ThisMachine::new(systemd, &context.layout, spec);
    let mut console = Console::new(&spec.name, context.json, interrupts);
    let app = (spec, units::count(spec));
    let ended = drive::reopen(&world, &mut console, record, app, begin).await;
    verdict::result(ended.map_err(expected)?, context, spec)
}

fn expected(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<NotBegun>() {
        Ok(refused) => ExpectedError::new(Exit::ROLLOUT_FAILED, refused.to_string()).into(),
        Err(other) => other,
    }
}
