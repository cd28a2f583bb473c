//! The run's end (by time, by count or by hand), and the CPU time of the calling thread.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Says when no further request may be started. Requests under way are still waited for.
#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn new(signal: watch::Receiver<bool>) -> Self {
        Self(signal)
    }

    /// True when the handle was fired or dropped.
    pub(super) fn is_set(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    pub(super) async fn wait(&mut self) {
        // An error means that the handle is gone, which stops the run as well.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}

/// How much may still be started.
#[derive(Debug)]
pub(super) struct Budget {
    until: Instant,
    left: Cell<u64>,
}

impl Budget {
    pub(super) fn new(duration: Duration, requests: u64) -> Self {
        Self {
            until: Instant::now() + duration,
            left: Cell::new(requests),
        }
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// True when nothing more may be started.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0 || Instant::now() >= self.until
    }

    /// Takes `count` requests out of the budget; false when it has not that many, or the time is over.
    pub(super) fn take(&self, count: u64) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        let left = self.left.get().checked_sub(count);
        left.map(|left| self.left.set(left)).is_some()
    }
}

/// CPU time this thread has used, `/proc/thread-self/schedstat` (proc(5)); zero where the kernel does not keep it.
pub(super) fn thread_cpu() -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().next()?.parse().ok())
        .map_or(Duration::ZERO, Duration::from_nanos)
}
