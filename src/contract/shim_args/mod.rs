//! The command lines of `appctl-shim`: what the generator writes into units, and the shim reads. One `--key=value` per word.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::spec::{AppName, Instance};
pub use crate::spec::{EnvFile, Streams};

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::read_env_file;
pub use write::{streams_word, write_env_file};

/// The verb that runs one instance: its options, `--`, the app, the instance, the program and its arguments.
pub const RUN: &str = "run";
/// The verb that becomes another program: `--read-env-file` and the like, `--`, the program and its arguments.
pub const EXEC: &str = "exec";
/// The verb that waits, and becomes the command behind it, where another start makes sense.
pub const COOLDOWN: &str = "cooldown";
/// The verb that waits until all instances of its unit's app are gone.
pub const DRAINED: &str = "drained";
/// The verb that looks at files of variables before systemd reads them.
pub const LOOK: &str = "look";

/// Where journald takes streams, systemd-journald.service(8).
const JOURNAL: &str = "/run/systemd/journal/stdout";

/// What follows [`RUN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunArgs {
    /// The app.
    pub app: AppName,
    /// Which of its instances.
    pub instance: Instance,
    /// Program and arguments of the app; never empty.
    pub argv: Vec<OsString>,
    /// All before `--`.
    pub options: Options,
}

/// How an instance is run. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What proves that the app is ready.
    pub ready: Ready,
    /// The longest time from the start to the proof.
    pub ready_timeout: u64,
    /// The app's own stop signal, a number of signal(7).
    pub stop_signal: i32,
    /// From the stop request to `SIGKILL`.
    pub stop_timeout: u64,
    /// `"shutdown"` over Node's IPC channel comes before the signal.
    pub stop_message: bool,
    /// How long an idle keep-alive connection may still bring a last request.
    pub linger: u64,
    /// What becomes of upgraded connections and event streams at a stop.
    pub streams: Streams,
    /// The time over which [`Streams::Close`] spreads them.
    pub spread: u64,
    /// The variable to which each instance adds its own number.
    pub increment: Option<String>,
    /// The pauses between crashes.
    pub backoff: Backoff,
    /// How long the event loop of a ready app may stand still; `None`: for ever.
    pub watchdog: Option<u64>,
    /// What is loaded into a Node app.
    pub adapter: Option<PathBuf>,
    /// How many listening sockets must be inherited.
    pub sockets: usize,
    /// Length of their accept queues.
    pub backlog: u32,
    /// Where the app runs; a link is resolved once, at the start.
    pub directory: Option<PathBuf>,
    /// Where journald takes streams; another place than the usual one serves tests.
    pub journal: PathBuf,
    /// Files of variables that must exist; systemd has read them.
    pub env_files: Vec<PathBuf>,
    /// Files of variables that the shim reads itself.
    pub read_env_files: Vec<EnvFile>,
}

/// What proves that an app is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Its own `READY=1`, `sd_notify(3)`.
    Notify,
    /// The adapter saw it listen on a held socket.
    Listening,
    /// `GET path` on the instance's private socket answers `status`.
    Http {
        /// Begins with `/`.
        path: String,
        /// Of the answer.
        status: u16,
    },
    /// `process.send("ready")`.
    Message,
    /// It is alive that long after its start.
    Started {
        /// In milliseconds.
        after: u64,
    },
}

/// The first restart is immediate; then `delay`, doubling up to `longest`. In milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second restart in a row.
    pub delay: u64,
    /// The longest.
    pub longest: u64,
    /// Crashes are forgotten once the app was ready for this long.
    pub reset_after: u64,
}

impl Default for Options {
    /// What the shim does where its command line says nothing.
    fn default() -> Self {
        Self {
            ready: Ready::Started { after: 1_000 },
            ready_timeout: 60_000,
            stop_signal: 15,
            stop_timeout: 30_000,
            stop_message: false,
            linger: 2_000,
            streams: Streams::Close,
            spread: 5_000,
            increment: None,
            backoff: Backoff {
                delay: 100,
                longest: 30_000,
                reset_after: 10_000,
            },
            watchdog: None,
            adapter: None,
            sockets: 0,
            backlog: 4_096,
            directory: None,
            journal: PathBuf::from(JOURNAL),
            env_files: Vec::new(),
            read_env_files: Vec::new(),
        }
    }
}

/// Why a command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Usage {
    /// No such option.
    #[error("unknown option {0}")]
    Unknown(String),
    /// An option with a value that it cannot have.
    #[error("{0}: invalid value")]
    Value(String),
    /// Words are missing, or there is no such verb.
    #[error("usage: appctl-shim run --KEY=VALUE… -- NAME INSTANCE PROGRAM [ARGUMENT…]")]
    Shape,
    /// No instance has this name.
    #[error("no instance is called {0:?}: use a number from 1 up, or surge")]
    Instance(String),
    /// A proof that only the adapter can bring.
    #[error("--ready={0} needs --adapter")]
    NeedsAdapter(&'static str),
    /// There is nothing to listen on.
    #[error("--ready=listening needs --sockets")]
    NeedsSockets,
}

impl RunArgs {
    /// Reads what follows [`RUN`].
    pub fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Self, Usage> {
        let options = Options::parse(words.by_ref().take_while(|word| word.as_bytes() != b"--"))?;
        let mut name = || words.next()?.into_string().ok();
        let app = name().and_then(|text| text.parse().ok()).ok_or(Usage::Shape)?;
        let instance = name().ok_or(Usage::Shape)?;
        let instance = instance.parse().map_err(|_| Usage::Instance(instance))?;
        let argv: Vec<_> = words.collect();
        if argv.is_empty() {
            return Err(Usage::Shape);
        }
        options.checked()?;
        Ok(Self {
            app,
            instance,
            argv,
            options,
        })
    }

    /// Whether the app is given Node's IPC channel.
    pub fn wants_ipc(&self) -> bool {
        self.options.ready == Ready::Message || self.options.stop_message
    }
}
