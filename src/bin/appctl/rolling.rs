//! Puts another configuration of a running app in force: surge first, then one instance after the other, and back again
//! when one does not come up.

use appctl::host::bus::Systemd;
use appctl::host::files;
use appctl::spec::{AppSpec, Instance};

use crate::context::Context;
use crate::{lifecycle, units};

/// From one configuration to another.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// What is in force, and its text.
    pub(crate) old: (&'a AppSpec, &'a str),
    /// What will be, and its text.
    pub(crate) new: (&'a AppSpec, &'a str),
    /// Whether instances that stay are replaced.
    pub(crate) replace: bool,
}

/// Makes the change. On an error the old configuration is in force again.
pub(crate) async fn roll(context: &Context, systemd: &Systemd, change: &Change<'_>) -> anyhow::Result<()> {
    put_in_force(context, systemd, change.new).await?;
    let mut touched = Vec::new();
    let forward = tokio::select! {
        result = forward(systemd, change, &mut touched) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let Err(error) = forward else { return Ok(()) };
    match back(context, systemd, change, &touched).await {
        Ok(()) => Err(error),
        Err(back) => Err(error.context(format!("and going back failed too: {back:#}"))),
    }
}

/// Writes what is in force and lets systemd read it.
pub(crate) async fn put_in_force(
    context: &Context,
    systemd: &Systemd,
    (spec, text): (&AppSpec, &str),
) -> anyhow::Result<()> {
    files::write_atomic(&context.layout.applied_file(&spec.name), text)?;
    Ok(systemd.reload().await?)
}

async fn forward(systemd: &Systemd, change: &Change<'_>, touched: &mut Vec<u16>) -> anyhow::Result<()> {
    let spec = change.new.0;
    if !systemd.instance(&units::service(&spec.name)).await?.activity.is_up() {
        return Ok(());
    }
    let (before, after) = (units::count(change.old.0), units::count(spec));
    let surge = [units::instance(&spec.name, Instance::Surge)];
    if change.replace {
        lifecycle::start(systemd, spec, &surge).await?;
        for number in 1..=before.min(after) {
            touched.push(number);
            let unit = units::instance(&spec.name, Instance::Number(number));
            lifecycle::restart(systemd, spec, &unit).await?;
        }
    }
    touched.extend(before + 1..=after);
    lifecycle::start(systemd, spec, &numbered(spec, before + 1..=after)).await?;
    lifecycle::stop(systemd, spec.stop.timeout, &numbered(spec, after + 1..=before)).await?;
    if change.replace {
        lifecycle::stop(systemd, spec.stop.timeout, &surge).await
    } else {
        Ok(())
    }
}

async fn back(context: &Context, systemd: &Systemd, change: &Change<'_>, touched: &[u16]) -> anyhow::Result<()> {
    let spec = change.old.0;
    put_in_force(context, systemd, change.old).await?;
    let before = units::count(spec);
    for number in touched.iter().filter(|number| **number <= before) {
        let unit = units::instance(&spec.name, Instance::Number(*number));
        lifecycle::restart(systemd, spec, &unit).await?;
    }
    let mut extra = vec![units::instance(&spec.name, Instance::Surge)];
    let added = touched.iter().filter(|number| **number > before);
    extra.extend(added.map(|number| units::instance(&spec.name, Instance::Number(*number))));
    lifecycle::stop(systemd, spec.stop.timeout, &extra).await?;
    for unit in &extra {
        systemd.reset_failed(unit).await?;
    }
    Ok(())
}

fn numbered(spec: &AppSpec, numbers: impl Iterator<Item = u16>) -> Vec<String> {
    numbers
        .map(|number| units::instance(&spec.name, Instance::Number(number)))
        .collect()
}
