//! What can happen to an instance, and what can be done about it: the two lists that [`super::Machine`] connects. Pure.

use std::fmt;

use appctl::contract::ShimStatus;
pub(crate) use appctl::contract::adapter::{AdapterMessage, Beat};
use appctl::contract::exit_status;
pub(crate) use appctl::contract::{Level, Millis, Note, Span};
use nix::sys::signal::Signal;

use crate::backoff::Record;

/// One connection on the control socket. Never used twice.
pub(crate) type PeerId = u32;

/// How a process ended, wait(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
}

impl Exit {
    /// The same, unless systemd would take it for a failure to start, and not start the app again at once.
    pub(crate) fn restartable(self) -> Self {
        match self {
            Self::Code(code) if exit_status::is_uncounted(code) => Self::Code(1),
            Self::Code(_) | Self::Signal(_) => self,
        }
    }

    /// The signal that ended it, or that ended what its shell ran.
    pub(crate) fn signal(self) -> Option<i32> {
        match self {
            Self::Code(code) => exit_status::signal_of_status(code),
            Self::Signal(number) => Some(number),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with status {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was killed by {signal}"),
                Err(_) => write!(f, "was killed by signal {number}"),
            },
        }
    }
}

/// What the app itself says on its private notify socket, `sd_notify(3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notified {
    Ready,
    Status(String),
    /// It needs this much longer.
    Extend(Millis),
    Watchdog,
}

/// Everything that can happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The time given by [`super::Machine::deadline`] has come.
    Tick,
    /// systemd (or a person) wants the instance to stop: `SIGTERM`, `SIGINT`.
    Terminate,
    /// Another signal that is meant for the app.
    Forward(i32),
    /// [`Action::Spawn`] worked.
    Spawned { pid: u32, release: Option<String> },
    /// [`Action::Spawn`] did not.
    Refused { code: i32, reason: String },
    /// The app's main process is gone; `leftovers` of its process group are not.
    AppExited { exit: Exit, leftovers: bool },
    /// Nothing is left of the app's process group.
    GroupGone,
    /// An adapter says something.
    Adapter(PeerId, AdapterMessage),
    /// An adapter's connection is closed.
    Closed(PeerId),
    /// The app spoke `sd_notify(3)`.
    Notified(Notified),
    /// The app sent `"ready"` over Node's IPC channel.
    Message,
    /// [`Action::MessageApp`] found no process that could hear it.
    Unheard,
    /// The probe ended; an error holds the answer, for people.
    Probed(Result<(), String>),
}

/// Everything that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the app.
    Spawn,
    /// Leave this to the next shim.
    Remember(Record),
    /// `READY=1`.
    Ready(ShimStatus),
    /// `STOPPING=1`.
    Stopping(ShimStatus),
    /// `STATUS=`.
    Status(ShimStatus),
    /// `EXTEND_TIMEOUT_USEC=`: be patient for this long from now.
    Extend(Millis),
    /// `WATCHDOG=1`.
    Watchdog,
    /// An entry in the journal.
    Note(Note),
    /// Ask an adapter to drain: idle connections linger this long, everything is over after `timeout`.
    TellStop {
        peer: PeerId,
        linger: Millis,
        timeout: Millis,
    },
    /// Ask a blocked adapter for its stack.
    Trace(PeerId),
    /// `GET` on the instance's private socket; an attempt under way is dropped.
    Probe,
    /// `"shutdown"` to the app, as PM2's `shutdown_with_message` sends it.
    MessageApp,
    /// Let the adapters take connections from the shared sockets.
    Accept,
    /// The app's own stop signal, to its main process or to what is left of its group.
    StopApp,
    /// `SIGKILL` to the process group.
    KillApp,
    /// A signal to the app's main process.
    Forward(i32),
    /// End the shim in the same way.
    Finish(Exit),
}
