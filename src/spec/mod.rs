//! What the user asked for: the text of `/etc/appctl/apps/NAME.toml` in, a checked [`AppSpec`] out. Pure.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

mod bytes;
mod check;
mod conflicts;
mod deploy;
mod env;
mod fields;
mod increment;
mod json;
mod key;
mod keys;
mod kind;
mod listen;
mod name;
mod node;
mod parse;
mod path;
mod problem;
mod ready;
mod sandbox;
mod schema;
mod secret;
mod span_text;
mod suggest;
mod syntax;
pub mod variables;
mod visible;
mod words;
mod words_error;
mod writer;

pub use bytes::{InvalidSize, format_bytes, parse_bytes};
pub use conflicts::{Conflict, conflicts};
pub use deploy::{Deploy, Hooks, Shared};
pub use listen::InvalidListen;
pub use name::{AppName, Instance, InvalidName};
pub use parse::parse;
pub use path::InvalidPath;
pub use problem::Problem;
pub use sandbox::{Allowed, Level, Sandbox};
pub use schema::schema;
pub use secret::looks_secret;
pub use span_text::{InvalidSpan, format_span, parse_span};
pub use syntax::text_of;
pub use visible::{is_visible, visible};
pub use words::{quote_words, split_words};
pub use words_error::{WordsError, WordsErrorKind};
pub use writer::NewApp;

/// One app, checked: every value in here is safe to run. What each means to systemd is decided in [`crate::unit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSpec {
    /// The file's stem, and the prefix of every unit of the app.
    pub name: AppName,
    /// Program and arguments, never given to a shell. The first is an absolute path or looked up in `PATH` by the shim.
    pub exec: Vec<String>,
    /// How many instances serve.
    pub instances: Instances,
    /// Whom the app runs as.
    pub account: Account,
    /// Addresses the app's one socket unit holds, in order. Empty: a worker without a port.
    pub listen: Vec<Listen>,
    /// Length of the accept queue, `Backlog=` of systemd.socket(5); the kernel caps it at `net.core.somaxconn`.
    pub backlog: u32,
    /// Who may connect to its unix sockets.
    pub socket: SocketAccess,
    /// Where the app runs in place; `None` is the live release, `/var/lib/appctl/NAME/current`.
    pub directory: Option<PathBuf>,
    /// Variables for the app, in the file's order.
    pub env: Vec<(String, String)>,
    /// Files of variables, `EnvironmentFile=` of systemd.exec(5); later ones win.
    pub env_files: Vec<EnvFile>,
    /// The variable to which each instance adds its own number, [`Instance::index`].
    pub increment: Option<String>,
    /// What is loaded into the app so that it adopts the held sockets and drains.
    pub adapter: Adapter,
    /// What proves that an instance is ready.
    pub ready: Ready,
    /// How an instance is stopped.
    pub stop: Stop,
    /// Back-off between crashes, in the shim.
    pub restart: Restart,
    /// Whether an extra instance stands in during a rollout.
    pub surge: bool,
    /// How long the event loop of a ready instance may stand still before the instance is replaced; `None`: for ever.
    pub watchdog: Option<Duration>,
    /// Kernel limits of each instance; what is `None` stays at systemd's default.
    pub limits: Limits,
    /// How much of the system an instance can see and do.
    pub sandbox: Sandbox,
    /// How releases are made.
    pub deploy: Deploy,
}

impl AppSpec {
    /// The same app with more variables; one of a name that is there already takes its place.
    #[must_use]
    pub fn with_variables(mut self, more: Vec<(String, String)>) -> Self {
        for (name, value) in more {
            self.env.retain(|(known, _)| *known != name);
            self.env.push((name, value));
        }
        self
    }
}

/// How many instances serve: a number, or the processors this machine lets us use, less some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instances {
    /// Exactly this many, 1 to [`Instances::MOST`].
    Fixed(u16),
    /// `"max"` is `Max { less: 0 }`, `"max-1"` is `Max { less: 1 }`; never under 1.
    Max {
        /// Processors left to others.
        less: u16,
    },
}

impl Instances {
    /// Most instances one app may have. [`Instance::SURGE_INDEX`] lies above it.
    pub const MOST: u16 = 512;

    /// The number on a machine that may use `cpus` processors (cgroup quota counted by the caller).
    pub fn count(self, cpus: u16) -> u16 {
        match self {
            Self::Fixed(n) => n,
            Self::Max { less } => cpus.saturating_sub(less).clamp(1, Self::MOST),
        }
    }
}

/// The account an app runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// `DynamicUser=yes` of systemd.exec(5): all instances share one transient user.
    Dynamic,
    /// A system account; `group` is its primary group when `None`.
    Named {
        /// The user's name, as in `User=`.
        user: String,
        /// The group's name; `None`: the user's own group.
        group: Option<String>,
    },
}

/// One address of the app's socket, `ListenStream=` of systemd.socket(5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Listen {
    /// A TCP port, on every address (IPv6 and IPv4) when `host` is `None`.
    Tcp {
        /// One address of this machine.
        host: Option<IpAddr>,
        /// Port, 1 to 65535.
        port: u16,
    },
    /// A unix stream socket at an absolute path.
    Unix(PathBuf),
}

/// Whose unix sockets are and who may connect, `SocketMode=` and the like of systemd.socket(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketAccess {
    /// Permissions, chmod(2). An account that may write to the socket may connect to it.
    pub mode: u32,
    /// The owner; the app's own account when `None`.
    pub user: Option<String>,
    /// The group; the app's own when `None`.
    pub group: Option<String>,
}

impl Default for SocketAccess {
    fn default() -> Self {
        Self {
            mode: 0o660,
            user: None,
            group: None,
        }
    }
}

/// A file of variables: an `EnvironmentFile=` where only root can change it, else read by the shim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFile {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// Written `-/path`: may be missing.
    pub optional: bool,
}

/// What is preloaded into the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// `/usr/lib/appctl/node.cjs` through `NODE_OPTIONS`.
    Node,
    /// Nothing; the app takes `LISTEN_FDS` (`sd_listen_fds(3)`) itself.
    None,
}

/// Readiness of an instance. The deadline means failure, never success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// What proves that an instance can serve.
    pub when: ReadyWhen,
    /// Longest time from the app's start to the proof.
    pub timeout: Duration,
    /// How long a new instance must then stay up before a rollout goes on.
    pub settle: Duration,
}

/// The proof that an instance can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadyWhen {
    /// The app's own `READY=1`, `sd_notify(3)`.
    Notify,
    /// The adapter saw the app listen on a socket of ours.
    Listening,
    /// `GET path` on the instance's own private socket answers `status`.
    Http {
        /// Path and query, begins with `/`.
        path: String,
        /// Expected status code.
        status: u16,
    },
    /// `process.send('ready')`, as under PM2's `wait_ready`.
    Message,
    /// Still alive after this long.
    Started {
        /// How long the app must stay alive.
        after: Duration,
    },
}

/// How an instance is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The app's own stop signal, after the drain: `SIGTERM` or `SIGINT` and the like, as a number of signal(7).
    pub signal: i32,
    /// `"shutdown"` over Node's IPC channel comes before the signal, as with PM2's `shutdown_with_message`.
    pub message: bool,
    /// From the stop request to `SIGKILL`.
    pub timeout: Duration,
    /// How long an idle keep-alive connection may still send one more request.
    pub linger: Duration,
    /// What becomes of upgraded connections and event streams.
    pub streams: Streams,
    /// The window over which [`Streams::Close`] spreads them.
    pub spread: Duration,
}

/// What becomes of that which never ends by itself when an instance is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Streams {
    /// Each is ended between two messages, one after the other.
    #[default]
    Close,
    /// They live until the stop timeout.
    Wait,
    /// All are ended at once, between two messages.
    Cut,
}

/// Back-off between crashes: the first restart is immediate, then `delay`, doubling up to `max_delay`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Delay before the second restart in a row.
    pub delay: Duration,
    /// Longest delay; it doubles up to this.
    pub max_delay: Duration,
    /// Uptime after which crashes are forgotten.
    pub reset_after: Duration,
}

/// Kernel limits of one instance, systemd.resource-control(5) and systemd.exec(5). `None` is systemd's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// `MemoryMax=`, bytes: the kernel kills above it.
    pub memory: Option<u64>,
    /// `MemoryHigh=`, bytes: the kernel slows down above it.
    pub memory_high: Option<u64>,
    /// `CPUQuota=`, percent of one processor.
    pub cpu_percent: Option<u32>,
    /// `TasksMax=`: most processes and threads together.
    pub tasks: Option<u64>,
    /// `LimitNOFILE=`: most open files and connections of a process.
    pub open_files: Option<u64>,
}
