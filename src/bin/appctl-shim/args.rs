//! The command line of `appctl-shim run`: what the generator wrote into `ExecStart=`, one `--key=value` per element.
//! Decides nothing but whether the line makes sense.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use appctl::spec::{AppName, Instance};
use nix::sys::signal::Signal;

use crate::backoff::Policy;
use crate::journal;
use crate::machine::{Millis, Proof};
use crate::variables::EnvFile;

/// One instance, as the generator wants it run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) app: AppName,
    pub(crate) instance: Instance,
    /// Program and arguments of the app; never empty.
    pub(crate) argv: Vec<OsString>,
    pub(crate) options: Options,
}

/// Everything before `--`; the defaults are those of the TOML keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) ready: String,
    pub(crate) ready_path: String,
    pub(crate) ready_status: u16,
    pub(crate) started_after: Millis,
    pub(crate) ready_timeout: Millis,
    pub(crate) stop_signal: Signal,
    pub(crate) stop_timeout: Millis,
    /// `--stop-message=yes`: stop by `"shutdown"` over Node's IPC channel instead of a signal.
    pub(crate) stop_message: bool,
    pub(crate) linger: Millis,
    /// What becomes of upgraded connections and event streams: `close`, `wait` or `cut`.
    pub(crate) streams: String,
    /// The window over which `close` spreads them.
    pub(crate) spread: Millis,
    /// The variable to which each instance adds its own number.
    pub(crate) increment: Option<String>,
    pub(crate) backoff: Policy,
    /// How long the event loop of a ready app may stand still.
    pub(crate) watchdog: Option<Millis>,
    pub(crate) adapter: Option<PathBuf>,
    /// How many listening sockets must be inherited.
    pub(crate) sockets: usize,
    pub(crate) backlog: u32,
    pub(crate) directory: Option<PathBuf>,
    /// Where journald takes streams; another place than the usual one serves tests.
    pub(crate) journal: PathBuf,
    /// Files of variables that must exist; systemd has read them.
    pub(crate) env_files: Vec<PathBuf>,
    /// Files of variables that are for us to read.
    pub(crate) read_env_files: Vec<EnvFile>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ready: "started".to_owned(),
            ready_path: "/".to_owned(),
            ready_status: 200,
            started_after: 1_000,
            ready_timeout: 60_000,
            stop_signal: Signal::SIGTERM,
            stop_timeout: 30_000,
            stop_message: false,
            linger: 2_000,
            streams: "close".to_owned(),
            spread: 5_000,
            increment: None,
            backoff: Policy {
                delay: 100,
                longest: 30_000,
                reset_after: 10_000,
            },
            watchdog: None,
            adapter: None,
            sockets: 0,
            backlog: 4_096,
            directory: None,
            journal: PathBuf::from(journal::SOCKET),
            env_files: Vec::new(),
            read_env_files: Vec::new(),
        }
    }
}

/// Why the line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Usage {
    #[error("unknown option {0}")]
    Unknown(String),
    #[error("{0}: not a value it can have")]
    Value(String),
    #[error("usage: appctl-shim run --KEY=VALUE… -- NAME INSTANCE PROGRAM [ARGUMENT…]")]
    Shape,
    #[error("no instance is called {0:?}: they have numbers from 1 on, and there is surge")]
    Instance(String),
    #[error("--ready={0} needs --adapter")]
    NeedsAdapter(&'static str),
    #[error("--ready=listening needs --sockets")]
    NeedsSockets,
}

/// Reads what follows `run`.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Args, Usage> {
    let mut words = words;
    let mut options = Options::default();
    for word in words.by_ref().take_while(|word| word.as_bytes() != b"--") {
        let word = word
            .into_string()
            .map_err(|word| Usage::Unknown(word.to_string_lossy().into_owned()))?;
        options.set(&word)?;
    }
    let mut name = || words.next()?.into_string().ok();
    let app = name().and_then(|text| text.parse().ok()).ok_or(Usage::Shape)?;
    let instance = name().ok_or(Usage::Shape)?;
    let instance = instance.parse().map_err(|_| Usage::Instance(instance))?;
    let command: Vec<_> = words.collect();
    if command.is_empty() {
        return Err(Usage::Shape);
    }
    let args = Args {
        app,
        instance,
        argv: command,
        options,
    };
    args.checked()
}

impl Options {
    fn set(&mut self, word: &str) -> Result<(), Usage> {
        let (key, value) = word.split_once('=').ok_or_else(|| Usage::Unknown(word.to_owned()))?;
        let known = match key {
            "--ready" => READY.contains(&value).then(|| value.clone_into(&mut self.ready)),
            "--ready-path" => value.starts_with('/').then(|| value.clone_into(&mut self.ready_path)),
            "--ready-status" => take(value, &mut self.ready_status),
            "--started-after-ms" => take(value, &mut self.started_after),
            "--ready-timeout-ms" => take(value, &mut self.ready_timeout),
            "--stop-signal" => signal(value).map(|signal| self.stop_signal = signal),
            "--stop-timeout-ms" => take(value, &mut self.stop_timeout),
            "--stop-message" => yes_or_no(value).map(|yes| self.stop_message = yes),
            "--linger-ms" => take(value, &mut self.linger),
            "--streams" => STREAMS.contains(&value).then(|| value.clone_into(&mut self.streams)),
            "--spread-ms" => take(value, &mut self.spread),
            "--increment" => (!value.is_empty()).then(|| self.increment = Some(value.to_owned())),
            "--backoff-ms" => backoff(value).map(|policy| self.backoff = policy),
            "--watchdog-ms" => value.parse().ok().map(|span| self.watchdog = Some(span)),
            "--adapter" => absolute(value).map(|path| self.adapter = Some(path)),
            "--sockets" => take(value, &mut self.sockets),
            "--backlog" => take(value, &mut self.backlog),
            "--env-file" => absolute(value).map(|path| self.env_files.push(path)),
            "--read-env-file" => EnvFile::of(value).map(|file| self.read_env_files.push(file)),
            "--directory" => absolute(value).map(|path| self.directory = Some(path)),
            "--journal" => absolute(value).map(|path| self.journal = path),
            _ => return Err(Usage::Unknown(word.to_owned())),
        };
        known.ok_or_else(|| Usage::Value(word.to_owned()))
    }
}

const STREAMS: [&str; 3] = ["close", "wait", "cut"];
const READY: [&str; 5] = ["notify", "listening", "http", "message", "started"];

impl Args {
    /// What proves that the app is ready.
    pub(crate) fn proof(&self) -> Proof {
        match self.options.ready.as_str() {
            "notify" => Proof::Notify,
            "listening" => Proof::Listening,
            "http" => Proof::Http,
            "message" => Proof::Message,
            _ => Proof::Started(self.options.started_after),
        }
    }

    /// Whether the app is given Node's IPC channel.
    pub(crate) fn wants_ipc(&self) -> bool {
        self.proof() == Proof::Message || self.options.stop_message
    }

    fn checked(self) -> Result<Self, Usage> {
        let options = &self.options;
        match self.proof() {
            Proof::Listening if options.adapter.is_none() => Err(Usage::NeedsAdapter("listening")),
            Proof::Http if options.adapter.is_none() => Err(Usage::NeedsAdapter("http")),
            Proof::Listening if options.sockets == 0 => Err(Usage::NeedsSockets),
            _ => Ok(self),
        }
    }
}

fn take<T: std::str::FromStr>(value: &str, place: &mut T) -> Option<()> {
    *place = value.parse().ok()?;
    Some(())
}

fn signal(value: &str) -> Option<Signal> {
    Signal::try_from(value.parse::<i32>().ok()?).ok()
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn absolute(value: &str) -> Option<PathBuf> {
    value.starts_with('/').then(|| PathBuf::from(value))
}

fn backoff(value: &str) -> Option<Policy> {
    let mut parts = value.split(',').map(|part| part.parse().ok());
    let policy = Policy {
        delay: parts.next()??,
        longest: parts.next()??,
        reset_after: parts.next()??,
    };
    parts.next().is_none().then_some(policy)
}

#[cfg(test)]
mod tests;
