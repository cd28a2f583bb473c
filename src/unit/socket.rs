//! `NAME.socket`: every address of the app, held by PID 1 through crashes, restarts and rollouts. systemd.socket(5).

use std::net::IpAddr;

use super::{Host, Section, UnitFile, hold_name, quote, socket_name};
use crate::spec::{Account, AppSpec, Listen, SocketAccess};

/// `None` for a worker without a port.
pub(super) fn render(spec: &AppSpec, host: &Host) -> Option<UnitFile> {
    if spec.listen.is_empty() {
        return None;
    }
    let sections = [unit(spec, host), socket(spec)];
    Some(UnitFile::new(socket_name(&spec.name), &host.source, sections))
}

fn unit(spec: &AppSpec, host: &Host) -> Section {
    let mut unit = Section::new("Unit");
    unit.set("Description", format_args!("Addresses of {} (appctl)", spec.name));
    unit.set("SourcePath", quote::rest_of_line_file(&host.source));
    // `stop` closes the port once the last instance has drained; restarts and crashes keep it. PropagatesStopTo= in the
    // service would close it on every restart too, from systemd 257 on.
    unit.set("StopWhenUnneeded", "yes");
    // Six quick stops and starts by hand would otherwise leave the port closed for good.
    unit.set("StartLimitIntervalSec", 0);
    unit
}

fn socket(spec: &AppSpec) -> Section {
    let mut socket = Section::new("Socket");
    socket.each("ListenStream", spec.listen.iter().map(address));
    if spec
        .listen
        .iter()
        .any(|listen| matches!(listen, Listen::Tcp { host: None, .. }))
    {
        // A bare port means IPv4 too, even with net.ipv6.bindv6only=1.
        socket.set("BindIPv6Only", "both");
    }
    if spec.listen.iter().any(is_of_one_interface) {
        // At boot the address may not be there yet, and a socket that failed once is not tried again.
        socket.set("FreeBind", "yes");
    }
    if spec.listen.iter().any(|listen| matches!(listen, Listen::Unix(_))) {
        // A socket file that no process answers on looks like a dead app to a proxy; a missing file is a clear answer.
        socket.set("RemoveOnStop", "yes");
        access(spec, &mut socket);
    }
    // Otherwise it would be NAME.service, which goes down before its instances have drained.
    socket.set("Service", hold_name(&spec.name));
    socket.set("Backlog", spec.backlog);
    // Each instance that goes down makes systemd look at the socket again; over 20 looks in 2 s it would close it.
    socket.set("TriggerLimitIntervalSec", 0);
    // `yes` throws away waiting connections whenever one instance ends, though its siblings would have served them.
    socket.set("FlushPending", "no");
    socket
}

/// systemd's own default lets every account of the machine connect. A user without a group brings their own.
fn access(spec: &AppSpec, socket: &mut Section) {
    let SocketAccess { mode, user, group } = &spec.socket;
    let own = match &spec.account {
        Account::Dynamic => (None, None),
        Account::Named { user, group } => (Some(user), group.as_ref()),
    };
    let own_group = own.1.filter(|_| user.is_none());
    socket.set("SocketMode", format_args!("{mode:04o}"));
    let name = |name: &String| name.replace('%', "%%");
    socket.each("SocketUser", user.as_ref().or(own.0).map(name));
    socket.each("SocketGroup", group.as_ref().or(own_group).map(name));
}

fn address(listen: &Listen) -> String {
    match listen {
        Listen::Tcp { host: None, port } => port.to_string(),
        Listen::Tcp {
            host: Some(IpAddr::V4(host)),
            port,
        } => format!("{host}:{port}"),
        Listen::Tcp {
            host: Some(IpAddr::V6(host)),
            port,
        } => format!("[{host}]:{port}"),
        Listen::Unix(path) => quote::rest_of_line_file(path),
    }
}

fn is_of_one_interface(listen: &Listen) -> bool {
    matches!(listen, Listen::Tcp { host: Some(host), .. } if !host.is_unspecified() && !host.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::spec::Listen;
    use crate::unit::samples::{host, spec};

    fn text(listen: Vec<Listen>) -> String {
        super::render(&crate::spec::AppSpec { listen, ..spec("web") }, &host())
            .map_or_else(String::new, |u| u.to_string())
    }

    fn tcp(host: &str, port: u16) -> Listen {
        Listen::Tcp {
            host: host.parse().ok(),
            port,
        }
    }

    #[test]
    fn a_worker_has_no_socket() {
        assert_eq!(text(Vec::new()), "");
    }

    #[test]
    fn every_address_is_listed_in_order() {
        let all = [
            tcp("", 3000),
            tcp("127.0.0.1", 8080),
            tcp("::1", 8080),
            Listen::Unix("/run/a%b.sock".into()),
        ];
        let text = text(all.to_vec());
        let lines: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("ListenStream="))
            .collect();
        assert_eq!(lines, ["3000", "127.0.0.1:8080", "[::1]:8080", "/run/a%%b.sock"]);
    }

    #[test]
    fn only_the_own_group_connects_to_a_path() {
        let lines = |text: &str| {
            let socket = |line: &&str| line.starts_with("Socket");
            text.lines().filter(socket).map(str::to_owned).collect::<Vec<_>>()
        };
        let file = |keys: &str| {
            let text = format!("exec = 'x'\nlisten = '/run/a.sock'\n{keys}");
            let spec = crate::spec::parse(&"web".parse().expect("a name"), &text).expect("a good file");
            lines(&super::render(&spec, &host()).expect("a socket").to_string())
        };
        assert_eq!(file(""), ["SocketMode=0660"]);
        assert_eq!(file("user = 'work'"), ["SocketMode=0660", "SocketUser=work"]);
        let both = file("user = 'work'\ngroup = 'web'");
        assert_eq!(both, ["SocketMode=0660", "SocketUser=work", "SocketGroup=web"]);
        let proxy = file("user = 'work'\ngroup = 'web'\nsocket_group = 'www-data'\nsocket_mode = '0620'");
        assert_eq!(proxy, ["SocketMode=0620", "SocketUser=work", "SocketGroup=www-data"]);
        let other = file("user = 'work'\ngroup = 'web'\nsocket_user = 'proxy'");
        assert_eq!(other, ["SocketMode=0660", "SocketUser=proxy"]);
        assert!(!text(vec![tcp("", 80)]).contains("SocketMode"));
    }

    #[test]
    fn an_address_that_may_come_late_is_bound_all_the_same() {
        assert!(text(vec![tcp("192.0.2.1", 80)]).contains("FreeBind=yes"));
        for here in ["", "0.0.0.0", "::", "127.0.0.1", "::1"] {
            assert!(!text(vec![tcp(here, 80)]).contains("FreeBind"), "{here}");
        }
    }
}
