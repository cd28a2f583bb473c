//! The sockets systemd holds for the app, `sd_listen_fds(3)`: how many came, which they are, and that they pass on to
//! the app and to nobody else. Never touches their flags: the open file description is shared with every sibling.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt::AcceptConn};
use nix::sys::stat::fstat;

use crate::store;

/// What the shim inherited.
#[derive(Default)]
pub(crate) struct Sockets {
    held: Vec<Held>,
    /// Why the app must not be started with them.
    problem: Option<String>,
}

struct Held {
    listener: Listener,
    /// `FileDescriptorName=` of the socket unit.
    name: String,
    address: Address,
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

enum Address {
    Tcp(SocketAddr),
    Unix(String),
}

/// Takes everything inherited: the sockets, and the crash record if systemd kept one.
pub(crate) fn inherit(wanted: usize) -> (Sockets, Option<File>) {
    let names = names();
    let mut fds = if for_us() {
        ListenFd::from_env()
    } else {
        ListenFd::empty()
    };
    let (mut sockets, mut record) = (Sockets::default(), None);
    for at in 0..fds.len() {
        let name = names.get(at).map_or("unknown", String::as_str);
        if name == store::NAME {
            record = fds.take_raw_fd(at).ok().flatten().and_then(reopen);
        } else if let Err(problem) = sockets.take(&mut fds, at, name) {
            sockets.problem = Some(problem);
        }
    }
    sockets.count(wanted);
    (sockets, record)
}

/// `LISTEN_PID` is ours: unlike listenfd, a service must not take fds that were meant for another process.
fn for_us() -> bool {
    std::env::var("LISTEN_PID").is_ok_and(|pid| pid.parse() == Ok(std::process::id()))
}

fn names() -> Vec<String> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    names.split(':').map(str::to_owned).collect()
}

/// An owned handle to a regular file that is open at `number`, which is then closed.
fn reopen(number: RawFd) -> Option<File> {
    let file = File::options()
        .read(true)
        .write(true)
        .open(format!("/proc/self/fd/{number}"))
        .ok();
    let _ = nix::unistd::close(number);
    file.filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))
}

impl Sockets {
    fn take(&mut self, fds: &mut ListenFd, at: usize, name: &str) -> Result<(), String> {
        let listener = match fds.take_tcp_listener(at) {
            Ok(Some(tcp)) => Listener::Tcp(tcp),
            _ => match fds.take_unix_listener(at) {
                Ok(Some(unix)) => Listener::Unix(unix),
                _ => return Err(format!("inherited fd {name:?} is not a stream socket")),
            },
        };
        if !getsockopt(&listener, AcceptConn).unwrap_or(false) {
            return Err(format!("inherited socket {name:?} does not listen"));
        }
        let address = listener
            .address()
            .ok_or_else(|| format!("inherited socket {name:?} has no address"))?;
        self.held.push(Held {
            listener,
            name: name.to_owned(),
            address,
        });
        Ok(())
    }

    fn count(&mut self, wanted: usize) {
        let held = self.held.len();
        if held != wanted && self.problem.is_none() {
            self.problem = Some(format!(
                "started without its sockets: {wanted} configured, {held} inherited"
            ));
        }
    }

    /// Why the app must not be started.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Lets the next exec(2) keep them, or not.
    pub(crate) fn set_inheritable(&self, inheritable: bool) -> nix::Result<()> {
        let flags = if inheritable {
            FdFlag::empty()
        } else {
            FdFlag::FD_CLOEXEC
        };
        self.held
            .iter()
            .try_for_each(|held| fcntl(&held.listener, FcntlArg::F_SETFD(flags)).map(drop))
    }

    /// Their numbers, in the socket unit's order.
    pub(crate) fn numbers(&self) -> Vec<RawFd> {
        self.held.iter().map(|held| held.listener.as_fd().as_raw_fd()).collect()
    }

    /// `LISTEN_FDNAMES` of the app.
    pub(crate) fn fd_names(&self) -> String {
        self.join(":", |_, held| held.name.clone())
    }

    /// `APPCTL_LISTEN` of the app: `FD:INODE=ADDRESS` each. The inode tells a process that has the variable but not
    /// the socket.
    pub(crate) fn for_adapter(&self) -> String {
        self.join(" ", |at, held| {
            let inode = fstat(&held.listener).map_or(0, |stat| stat.st_ino);
            format!("{}:{inode}={}", 3 + at, held.address.text())
        })
    }

    /// What a person would write into `listen`.
    pub(crate) fn for_people(&self) -> String {
        self.join(", ", |_, held| match &held.address {
            Address::Tcp(tcp) if tcp.ip().is_unspecified() => tcp.port().to_string(),
            address @ (Address::Tcp(_) | Address::Unix(_)) => address.text(),
        })
    }

    /// The first TCP port.
    pub(crate) fn port(&self) -> Option<u16> {
        self.held.iter().find_map(|held| match &held.address {
            Address::Tcp(tcp) => Some(tcp.port()),
            Address::Unix(_) => None,
        })
    }

    fn join(&self, between: &str, text: impl Fn(usize, &Held) -> String) -> String {
        let texts: Vec<_> = self.held.iter().enumerate().map(|(at, held)| text(at, held)).collect();
        texts.join(between)
    }
}

impl Listener {
    fn address(&self) -> Option<Address> {
        match self {
            Self::Tcp(tcp) => tcp.local_addr().ok().map(Address::Tcp),
            Self::Unix(unix) => {
                let address = unix.local_addr().ok()?;
                Some(Address::Unix(address.as_pathname()?.to_str()?.to_owned()))
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(tcp) => tcp.as_fd(),
            Self::Unix(unix) => unix.as_fd(),
        }
    }
}

impl Address {
    fn text(&self) -> String {
        match self {
            Self::Tcp(tcp) => tcp.to_string(),
            Self::Unix(path) => path.clone(),
        }
    }
}
