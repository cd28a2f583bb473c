//! An operator's wish to leave: SIGINT and SIGTERM. SIGHUP is no such wish: a lost terminal must not leave a rollout
//! half way, signal(7). Other programs of ours ask for more: SIGUSR1 promotes what is watched, SIGUSR2 takes it back.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To leave; so many times.
    Leave(u32),
    /// To go on at once.
    Promote,
    /// To take it back.
    TakeBack,
}

/// Requests to leave, counted.
#[derive(Debug)]
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    promote: Signal,
    take_back: Signal,
    _hangup: Signal,
    count: u32,
}

/// Whether this process has caught them.
static CAUGHT: AtomicBool = AtomicBool::new(false);

impl Interrupts {
    /// Whether a verb hears these signals itself.
    pub(crate) fn are_caught() -> bool {
        CAUGHT.load(Ordering::Relaxed)
    }

    /// From now on these signals end nothing by themselves.
    pub(crate) fn catch() -> std::io::Result<Self> {
        CAUGHT.store(true, Ordering::Relaxed);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            promote: signal(SignalKind::user_defined1())?,
            take_back: signal(SignalKind::user_defined2())?,
            _hangup: signal(SignalKind::hangup())?,
            count: 0,
        })
    }

    /// Waits for the next request to leave.
    pub(crate) async fn next(&mut self) -> u32 {
        loop {
            if let Asked::Leave(count) = self.wish().await {
                return count;
            }
        }
    }

    /// Waits for the next request of any kind.
    pub(super) async fn wish(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.promote.recv() => return Asked::Promote,
            _ = self.take_back.recv() => return Asked::TakeBack,
        }
        self.count += 1;
        Asked::Leave(self.count)
    }
}
