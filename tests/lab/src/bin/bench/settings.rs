//! How long and how often: enough for a median, or just enough to see that everything works.

use std::time::Duration;

/// One run of the bench.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) quick: bool,
    /// Reloads per contender and shape of load.
    pub(crate) reloads: usize,
    /// Kills per contender and shape of load; each hits another of the four workers, so that none counts as flapping.
    pub(crate) kills: usize,
    /// Rounds of throughput.
    pub(crate) rounds: usize,
    /// Pairs of processes that are compared with each other.
    pub(crate) pairs: usize,
    /// Length of one throughput sample.
    pub(crate) throughput: Duration,
    /// Runs of the command that lists the apps.
    pub(crate) listings: usize,
    /// How long nothing happens while the CPU time of the supervisor is measured.
    pub(crate) idle: Duration,
}

impl Settings {
    pub(crate) fn of(quick: bool) -> Self {
        let seconds = Duration::from_secs;
        if quick {
            Self {
                quick,
                reloads: 1,
                kills: 1,
                rounds: 1,
                pairs: 1,
                throughput: seconds(1),
                listings: 3,
                idle: seconds(5),
            }
        } else {
            Self {
                quick,
                reloads: 3,
                kills: 4,
                rounds: 5,
                pairs: 20,
                throughput: seconds(2),
                listings: 10,
                idle: seconds(60),
            }
        }
    }
}
