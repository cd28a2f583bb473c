//! What a run came to: for tests as fields, for people as a table, for scripts as JSON (durations in seconds).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::counts::Counts;
use super::latency::Latency;
pub use super::ledger::Loss;

/// The result of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Where the load went.
    pub target: String,
    /// Its shape.
    pub shape: String,
    /// How long the run took.
    pub seconds: f64,
    /// Requests per bucket.
    pub counts: Counts,
    /// Of the answered requests; in an open loop counted from the time the request was due.
    pub latency: Latency,
    /// Responses per `x-pid`.
    pub pids: BTreeMap<u32, u64>,
    /// Responses per `x-release`.
    pub releases: BTreeMap<String, u64>,
    /// Connections opened.
    pub connections: u64,
    /// Responses that said `Connection: close`.
    pub told_close: u64,
    /// Connections that got a FIN while nothing was under way and no close had been announced. Not a loss.
    pub idle_fins: u64,
    /// Connections that got a RST while nothing was under way. Not a loss by itself.
    pub idle_rsts: u64,
    /// CPU time of this client.
    pub cpu_seconds: f64,
    /// The first losses, one by one.
    pub losses: Vec<Loss>,
}

impl Report {
    /// Requests without their proper answer, and those the client could not send: everything but `ok` and `declined`.
    pub fn lost(&self) -> u64 {
        self.counts.lost()
    }

    /// Proper answers per second.
    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 {
            float(self.counts.ok) / self.seconds
        } else {
            0.0
        }
    }

    /// The share of one CPU that this client used.
    pub fn cpu_share(&self) -> f64 {
        if self.seconds > 0.0 {
            self.cpu_seconds / self.seconds
        } else {
            0.0
        }
    }
}

/// Request counts are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, cpu) = (self.per_second(), self.cpu_share() * 100.0);
        writeln!(
            f,
            "{} to {}: {:.1} s, {rate:.0}/s, client {cpu:.0} % CPU",
            self.shape, self.target, self.seconds
        )?;
        for (name, count) in self.counts.rows() {
            writeln!(f, "  {name:<12} {count:>10}")?;
        }
        let Latency { p50, p99, p999, max } = self.latency;
        let [p50, p99, p999, max] = [p50, p99, p999, max].map(|seconds| seconds * 1e3);
        writeln!(
            f,
            "  latency ms   p50 {p50:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2}"
        )?;
        writeln!(
            f,
            "  connections  {} opened, {} told to close, {} idle FIN, {} idle RST",
            self.connections, self.told_close, self.idle_fins, self.idle_rsts
        )?;
        listed(f, "pids", &self.pids)?;
        listed(f, "releases", &self.releases)?;
        self.losses.iter().try_for_each(|loss| writeln!(f, "  {loss}"))
    }
}

fn listed<K: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, counts: &BTreeMap<K, u64>) -> fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    write!(f, "  {name:<12}")?;
    counts
        .iter()
        .try_for_each(|(key, count)| write!(f, " {key}: {count}"))?;
    writeln!(f)
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            bucket,
            id,
            answered_before,
            idle,
        } = self;
        write!(
            f,
            "lost at {at:.3} s: {bucket:?} {id}, after {answered_before} responses on its connection and {idle:.3} s idle"
        )
    }
}
