//! Looks at the instances of an app.

use super::bus::{BusError, Systemd};
use crate::drive::Survey;
use crate::spec::{AppName, Instance};
use crate::unit::{instance_name, instance_of};

/// Looks at instances 1 to `count` and the surge.
pub async fn take(systemd: &Systemd, app: &AppName, count: u16) -> Result<Survey, BusError> {
    of(systemd, app, (1..=count).map(Instance::Number).chain([Instance::Surge])).await
}

/// Looks at every instance that systemd knows of.
pub async fn all(systemd: &Systemd, app: &AppName) -> Result<Survey, BusError> {
    let loaded = systemd.units(&[&format!("{app}@*.service")]).await?;
    of(
        systemd,
        app,
        loaded.iter().filter_map(|unit| instance_of(app, &unit.name)),
    )
    .await
}

async fn of(systemd: &Systemd, app: &AppName, who: impl Iterator<Item = Instance>) -> Result<Survey, BusError> {
    let who: Vec<Instance> = who.collect();
    let names: Vec<String> = who.iter().map(|instance| instance_name(app, *instance)).collect();
    let states = systemd.instances(&names).await?;
    Ok(Survey::new(who.into_iter().zip(states).collect()))
}
