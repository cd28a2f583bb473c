//! How long and how often: a slice that fits into every test run, and with `APPCTL_TORTURE=full` the full numbers.

use std::time::Duration;

/// What stretches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Rollouts of each configuration.
    pub rollouts: usize,
    /// `[stop] linger`.
    pub linger: Duration,
    /// What a slow handler, a slow upload and a slow reader take.
    pub slow: Duration,
    /// For how long an app is down while its socket is held.
    pub hold: Duration,
}

impl Scale {
    pub(crate) fn of_this_run() -> Self {
        if std::env::var_os("APPCTL_TORTURE").is_some() {
            Self {
                rollouts: 50,
                linger: Duration::from_secs(2),
                slow: Duration::from_secs(5),
                hold: Duration::from_secs(20),
            }
        } else {
            Self {
                rollouts: 10,
                linger: Duration::from_millis(300),
                slow: Duration::from_millis(240),
                hold: Duration::from_secs(3),
            }
        }
    }
}
