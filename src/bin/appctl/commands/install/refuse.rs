//! What stands in the way of an installation, each with what to do about it.

use appctl::host::bus::Systemd;
use appctl::observe::UnitState;
use appctl::spec::{AppName, AppSpec};
use appctl::unit;

use super::Args;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::{addresses, apps, takedown, units};

/// The app is there already.
pub(super) fn installed(context: &Context, name: &AppName) -> anyhow::Result<()> {
    if apps::installed(&context.layout)?.contains(name) {
        let help = format!(
            "after editing {}: appctl apply {name}; to restart it: appctl rolling-restart {name}; to start over: \
                appctl uninstall {name}",
            context.layout.of(name).wanted_file().display()
        );
        return Err(
            ExpectedError::new(Exit::INVALID_CONFIG, format!("{name} is installed already"))
                .help(help)
                .into(),
        );
    }
    Ok(())
}

/// Root needs to be asked for twice.
pub(super) fn root(args: &Args) -> Result<(), ExpectedError> {
    let root = args.user.as_deref().is_some_and(|user| user == "root" || user == "0");
    if !root || args.allow_root {
        return Ok(());
    }
    let help = "name another user, which appctl creates if missing; ports below 1024 do not need root; if you mean \
                root, add --allow-root";
    Err(ExpectedError::new(Exit::INVALID_CONFIG, "the app would run as root").help(help))
}

/// Someone else has the address.
pub(super) fn taken_addresses(spec: &AppSpec) -> anyhow::Result<()> {
    for listen in &spec.listen {
        if let Some(error) = addresses::obstacle(listen, Exit::INVALID_CONFIG, "with --listen")? {
            return Err(error.into());
        }
    }
    Ok(())
}

/// The name belongs to another unit.
pub(super) async fn existing_units(systemd: &Systemd, name: &AppName) -> anyhow::Result<()> {
    let wanted = [
        units::service(name),
        units::socket(name),
        units::hold(name),
        unit::template_name(name),
        unit::retry_template(name),
    ];
    for unit in &wanted {
        if systemd.unit_file_state(unit).await?.is_some() {
            return Err(collision(name, unit).into());
        }
    }
    // What an earlier installation left running without a file is ended before this one begins.
    let left = takedown::loaded(systemd, name).await?;
    let running = systemd
        .units(&[&wanted[0], &wanted[1], &wanted[2], &format!("{name}@*.service")])
        .await?;
    let stands_in_the_way = |unit: &UnitState| {
        unit.load != "not-found" || !unit.activity.is_down() && !left.iter().any(|ours| ours.name == unit.name)
    };
    match running.iter().find(|unit| stands_in_the_way(unit)) {
        Some(unit) => Err(collision(name, &unit.name).into()),
        None => Ok(()),
    }
}

fn collision(name: &AppName, unit: &str) -> ExpectedError {
    let error = ExpectedError::new(
        Exit::INVALID_CONFIG,
        format!("systemd has a unit {unit} that does not belong to appctl"),
    );
    error.help(format!(
        "install the app under another name, such as {name}-app; systemctl cat {unit} shows that unit"
    ))
}
