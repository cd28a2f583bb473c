//! SIGINT, SIGTERM and SIGHUP of operations that go nowhere back when they are told to leave: what is under way is
//! dropped, and this program ends by the signal once its operations have been told.

use std::fmt;

use appctl::contract::outcome;
use appctl::host::signals;
use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind};

use crate::rolling::Interrupts;

/// The error of what a signal has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended(Signal);

impl Ended {
    /// What a shell says of a process that the signal ends.
    pub(crate) fn status(self) -> u8 {
        outcome::of_signal(u8::try_from(self.0 as i32).unwrap_or_default())
    }

    /// Ends this process by the signal.
    pub(crate) fn end(self) {
        signals::end_by(self.0);
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended by {}", self.0)
    }
}

impl std::error::Error for Ended {}

/// The outcome of `body`, unless a signal comes before it that the verb does not hear itself.
pub(crate) fn unless_ended<T>(
    body: impl Future<Output = anyhow::Result<T>>,
) -> impl Future<Output = anyhow::Result<T>> {
    first(Box::pin(body))
}

async fn first<T>(mut body: impl Future<Output = anyhow::Result<T>> + Unpin) -> anyhow::Result<T> {
    let mut signals = Signals::listen()?;
    loop {
        tokio::select! {
            biased;
            result = &mut body => return result,
            signal = signals.next() => if !Interrupts::are_caught() {
                return Err(Ended(signal).into());
            }
        }
    }
}

/// Those that this process was not told to ignore.
struct Signals {
    interrupt: Option<unix::Signal>,
    terminate: Option<unix::Signal>,
    hangup: Option<unix::Signal>,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let one = |signal, kind| (!signals::is_ignored(signal)).then(|| unix::signal(kind)).transpose();
        Ok(Self {
            interrupt: one(Signal::SIGINT, SignalKind::interrupt())?,
            terminate: one(Signal::SIGTERM, SignalKind::terminate())?,
            hangup: one(Signal::SIGHUP, SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            () = heard(&mut self.interrupt) => Signal::SIGINT,
            () = heard(&mut self.terminate) => Signal::SIGTERM,
            () = heard(&mut self.hangup) => Signal::SIGHUP,
        }
    }
}

async fn heard(signal: &mut Option<unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
