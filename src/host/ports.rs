//! Whether an address is free, and whose it is when not. Nothing is ever listened on here.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, bind, setsockopt, socket, sockopt};

use crate::observe::sockets::listeners;
use crate::spec::Listen;

/// Whether an app could be given an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Yes, or only PID 1 can tell.
    Free,
    /// Someone listens there.
    Taken,
    /// No interface of this machine has it.
    NotOurs,
    /// Something that is no socket is at the path.
    NotASocket,
    /// The path leads through something that is no directory.
    NoDirectory,
}

/// A process that holds a listening socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its name, `comm` of proc(5).
    pub name: String,
}

/// Tries an address by binding it for a moment, which is the only question whose answer is the kernel's own.
pub fn availability(listen: &Listen) -> io::Result<Availability> {
    match listen {
        Listen::Tcp { host, port } => tcp(host.unwrap_or(Ipv6Addr::UNSPECIFIED.into()), *port),
        Listen::Unix(path) => unix(path),
    }
}

fn tcp(host: IpAddr, port: u16) -> io::Result<Availability> {
    let family = if host.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let probe = match socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None) {
        // Without IPv6, systemd takes IPv4 for "every address".
        Err(Errno::EAFNOSUPPORT) if host.is_unspecified() => return tcp(IpAddr::from([0, 0, 0, 0]), port),
        other => other?,
    };
    setsockopt(&probe, sockopt::ReuseAddr, &true)?;
    let fd = probe.as_raw_fd();
    let bound = match SocketAddr::new(host, port) {
        SocketAddr::V4(address) => bind(fd, &SockaddrIn::from(address)),
        SocketAddr::V6(address) => bind(fd, &SockaddrIn6::from(address)),
    };
    match bound {
        Ok(()) | Err(Errno::EACCES) => Ok(Availability::Free),
        Err(Errno::EADDRINUSE) => Ok(Availability::Taken),
        Err(Errno::EADDRNOTAVAIL) => Ok(Availability::NotOurs),
        Err(errno) => Err(errno.into()),
    }
}

fn unix(path: &Path) -> io::Result<Availability> {
    use std::os::unix::fs::FileTypeExt as _;
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Availability::Free),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(Availability::NoDirectory),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => Ok(Availability::NotASocket),
        // A socket file that nobody serves is replaced by systemd.
        Ok(_) => Ok(UnixStream::connect(path).map_or(Availability::Free, |_| Availability::Taken)),
    }
}

/// Processes that listen on a TCP port, as far as this user may see.
pub fn holders(port: u16) -> Vec<Holder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let inodes: Vec<String> = tables
        .iter()
        .flat_map(|table| listeners(table))
        .filter(|listener| listener.port == port)
        .map(|listener| format!("socket:[{}]", listener.inode))
        .collect();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| holds(*pid, &inodes)).map(holder).collect()
}

fn holds(pid: u32, inodes: &[String]) -> bool {
    let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .any(|target| {
            target
                .to_str()
                .is_some_and(|target| inodes.iter().any(|inode| inode == target))
        })
}

fn holder(pid: u32) -> Holder {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Holder {
        pid,
        name: name.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Availability, availability, holders};
    use crate::spec::Listen;
    use std::net::TcpListener;

    #[test]
    fn a_taken_port_is_seen_and_its_holder_named() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let everywhere = Listen::Tcp { host: None, port };
        assert_eq!(availability(&everywhere).expect("an answer"), Availability::Taken);
        assert!(holders(port).iter().any(|holder| holder.pid == std::process::id()));
        drop(taken);
        assert_eq!(availability(&everywhere).expect("an answer"), Availability::Free);
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let host = Some("192.0.2.1".parse().expect("an address"));
        let elsewhere = Listen::Tcp { host, port: 3000 };
        assert_eq!(availability(&elsewhere).expect("an answer"), Availability::NotOurs);
    }

    #[test]
    fn a_file_in_the_way_of_a_unix_socket_is_seen() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let listen = Listen::Unix(file.path().to_owned());
        assert_eq!(availability(&listen).expect("an answer"), Availability::NotASocket);
        let below = Listen::Unix(file.path().join("web.sock"));
        assert_eq!(availability(&below).expect("an answer"), Availability::NoDirectory);
    }
}
