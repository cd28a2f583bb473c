//! What keeps an app from an address, and what to do about it.

use appctl::host::cgroupfs;
use appctl::host::ports::{self, Availability};
use appctl::spec::{AppName, Listen};

use crate::exit::{Exit, ExpectedError};
use crate::units;

/// The same while the app runs: what its own processes hold will be free once they are stopped, as a port that a worker
/// has opened by itself.
pub(crate) fn obstacle_beside(app: &AppName, listen: &Listen, place: &str) -> anyhow::Result<Option<ExpectedError>> {
    let own = match listen {
        Listen::Tcp { port, .. } => {
            let processes = cgroupfs::processes(&units::slice_path(app));
            let holders = ports::holders(*port);
            holders.iter().any(|holder| processes.contains(&holder.pid))
        }
        // Whose the other end of such a socket is cannot be told.
        Listen::Unix(_) => ports::availability(listen)? == Availability::Taken,
    };
    if own {
        return Ok(None);
    }
    obstacle(listen, Exit::ROLLOUT_FAILED, place)
}

/// Why systemd could not open a socket there, as far as that can be told beforehand. `place` says where the operator names
/// another address.
pub(crate) fn obstacle(listen: &Listen, exit: Exit, place: &str) -> anyhow::Result<Option<ExpectedError>> {
    let (message, help) = match ports::availability(listen)? {
        Availability::Free => return Ok(None),
        Availability::Taken => taken(listen, place),
        Availability::NotOurs => (
            format!("no interface of this machine has the address of {listen}"),
            "`ip address` lists the addresses; a port alone listens on all of them".to_owned(),
        ),
        Availability::NotASocket => (
            format!("{listen} exists and is not a socket"),
            format!("remove it, or choose another path {place}"),
        ),
        Availability::NoDirectory => (
            format!("a parent of {listen} is not a directory"),
            format!("choose another path {place}"),
        ),
    };
    Ok(Some(ExpectedError::new(exit, message).help(help)))
}

fn taken(listen: &Listen, place: &str) -> (String, String) {
    let &Listen::Tcp { port, .. } = listen else {
        return (format!("{listen} is in use"), format!("choose another path {place}"));
    };
    let choose = format!("choose another {place}");
    let holders = ports::holders(port);
    let by = match holders.first() {
        Some(holder) => format!(" by {} (pid {})", holder.name, holder.pid),
        None => String::new(),
    };
    let help = match holders.first().map(|holder| holder.pid) {
        Some(1) => format!("systemctl list-sockets shows the socket unit for which systemd holds it; {choose}"),
        Some(pid) => format!("stop it (systemctl status {pid} shows its unit), or {choose}"),
        None => format!("sudo ss -ltnp names the process; or {choose}"),
    };
    (format!("port {port} is in use{by}"), help)
}
