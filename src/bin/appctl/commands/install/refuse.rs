//! What stands in the way of an installation, each with what to do about it.

use appctl::host::bus::Systemd;
use appctl::host::ports::{self, Availability};
use appctl::spec::{AppName, AppSpec, Listen};
use appctl::unit;

use super::Args;
use crate::apps;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::units;

/// The app is there already.
pub(super) fn installed(context: &Context, name: &AppName) -> anyhow::Result<()> {
    if apps::installed(&context.layout)?.contains(name) {
        let help = format!(
            "after editing {}: appctl apply {name}; to restart it: appctl rolling-restart {name}; to begin anew: appctl \
             uninstall {name}",
            context.layout.wanted_file(name).display()
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
    let help = "name another user, which is made when missing; low ports need no root here; or add --allow-root";
    Err(ExpectedError::new(Exit::INVALID_CONFIG, "the app would run as root").help(help))
}

/// Someone else has the address.
pub(super) fn taken_addresses(spec: &AppSpec) -> anyhow::Result<()> {
    for listen in &spec.listen {
        let error = match ports::availability(listen)? {
            Availability::Free => continue,
            Availability::Taken => taken(listen),
            Availability::NotOurs => ExpectedError::new(
                Exit::INVALID_CONFIG,
                format!("no interface of this machine has the address of {listen}"),
            )
            .help("ip address lists them; a port alone means all of them"),
            Availability::NotASocket => {
                let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("there is a file at {listen}"));
                error.help("remove it, or choose another path with --listen")
            }
        };
        return Err(error.into());
    }
    Ok(())
}

fn taken(listen: &Listen) -> ExpectedError {
    let Listen::Tcp { port, .. } = listen else {
        let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("{listen} is in use"));
        return error.help("choose another path with --listen");
    };
    let holders = ports::holders(*port);
    let by = match holders.first() {
        Some(holder) => format!(" by {} (pid {})", holder.name, holder.pid),
        None => String::new(),
    };
    let help = match holders.first().map(|holder| holder.pid) {
        Some(1) => {
            "systemd holds it for a socket unit: systemctl list-sockets; or choose another with --listen".to_owned()
        }
        Some(pid) => {
            format!("stop it (systemctl status {pid} says what it belongs to), or choose another with --listen")
        }
        None => "sudo ss -ltnp names the process; or choose another with --listen".to_owned(),
    };
    ExpectedError::new(Exit::INVALID_CONFIG, format!("port {port} is in use{by}")).help(help)
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
    let running = systemd
        .units(&[&wanted[0], &wanted[1], &wanted[2], &format!("{name}@*.service")])
        .await?;
    match running
        .iter()
        .find(|unit| unit.load != "not-found" || !unit.activity.is_down())
    {
        Some(unit) => Err(collision(name, &unit.name).into()),
        None => Ok(()),
    }
}

fn collision(name: &AppName, unit: &str) -> ExpectedError {
    let error = ExpectedError::new(
        Exit::INVALID_CONFIG,
        format!("systemd has a unit {unit} that is not of appctl"),
    );
    error.help(format!(
        "install the app under another name, as {name}-app; systemctl cat {unit} shows whose it is"
    ))
}
