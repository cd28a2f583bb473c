//! `NAME.hold.service`: what the socket would start. It runs nothing and is up as long as anything of the app is.
//!
//! A socket starts its service when a connection comes and none of its services is up, and one that is going down does
//! not count as up: without this unit a `systemctl stop NAME` under traffic would start the app again while its
//! instances drain. Outlasting them all, it leaves the socket nothing to start. systemd.socket(5).

use super::{Host, Section, UnitFile, hold_name, quote, sandbox, slice_name, socket_name};
use crate::spec::AppSpec;

/// `None` for a worker without a port.
pub(super) fn render(spec: &AppSpec, host: &Host) -> Option<UnitFile> {
    if spec.listen.is_empty() {
        return None;
    }
    let sections = [unit(spec, host), service(spec)];
    Some(UnitFile::new(hold_name(&spec.name), &host.source, sections))
}

fn unit(spec: &AppSpec, host: &Host) -> Section {
    let mut unit = Section::new("Unit");
    unit.set(
        "Description",
        format_args!("Placeholder that the socket of {} triggers (appctl)", spec.name),
    );
    unit.set("SourcePath", quote::rest_of_line_file(&host.source));
    // Not of NAME.service: it goes down when the last instance has, and at the same time as the socket.
    unit.set("StopWhenUnneeded", "yes");
    // A socket refuses to listen while its service is up, so no end of the socket may leave this unit behind: not that
    // of `systemctl restart NAME.socket`, during which the unit stays needed, nor one that comes first.
    unit.set("PartOf", socket_name(&spec.name));
    // Six quick stops and starts by hand would otherwise fail the socket along with this unit.
    unit.set("StartLimitIntervalSec", 0);
    unit
}

fn service(spec: &AppSpec) -> Section {
    let mut service = Section::new("Service");
    service.set("Slice", slice_name(&spec.name));
    service.set("Type", "oneshot").set("RemainAfterExit", "yes");
    // This process is handed the sockets, and O_NONBLOCK belongs to the socket, not to the process: without the line
    // `true` alone makes the accept() of every running instance block.
    service.set("NonBlocking", "yes");
    service.set("ExecStart", "/bin/true");
    sandbox::idle(&mut service);
    service
}
