//! An operator's wish to leave: SIGINT and SIGTERM. SIGHUP is no such wish: a lost terminal must not leave a rollout
//! half way, signal(7).

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to leave, counted.
#[derive(Debug)]
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    _hangup: Signal,
    count: u32,
}

impl Interrupts {
    /// From now on these signals end nothing by themselves.
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _hangup: signal(SignalKind::hangup())?,
            count: 0,
        })
    }

    /// Waits for the next request; how many there have been.
    pub(crate) async fn next(&mut self) -> u32 {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.count += 1;
        self.count
    }
}
