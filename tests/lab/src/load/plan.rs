//! What to send, where, how long: checked before the first socket, and bounded in every direction.

use std::time::Duration;

use anyhow::ensure;

use super::shape::Shape;
use super::target::Target;

/// The longest run, also that of a plan without a duration.
pub const MAX_DURATION: Duration = Duration::from_hours(1);
const MAX_CONNECTIONS: usize = 16 * 1024;
const MAX_REQUESTS: u64 = 100_000_000;

/// One run of the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// How.
    pub shape: Shape,
    /// Path and query of each request; the slow-response shape has its own.
    pub path: String,
    /// Connections at a time.
    pub connections: usize,
    /// No request starts after this; `None`: until stopped by hand, at most [`MAX_DURATION`].
    pub duration: Option<Duration>,
    /// No more requests than these.
    pub requests: Option<u64>,
    /// A request that has no complete answer after this is lost.
    pub timeout: Duration,
}

impl Plan {
    /// 32 connections until stopped, a timeout of 10 s.
    pub fn new(target: Target, shape: Shape) -> Self {
        let timeout = Duration::from_secs(10);
        Self {
            target,
            shape,
            path: "/".into(),
            connections: 32,
            duration: None,
            requests: None,
            timeout,
        }
    }

    /// This many connections at a time.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// For this long.
    #[must_use]
    pub fn lasting(self, duration: Duration) -> Self {
        Self {
            duration: Some(duration),
            ..self
        }
    }

    /// This many requests and no more.
    #[must_use]
    pub fn requests(self, requests: u64) -> Self {
        Self {
            requests: Some(requests),
            ..self
        }
    }

    /// A request may take this long.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Fails when something is out of bounds.
    pub fn check(&self) -> anyhow::Result<()> {
        self.target.check()?;
        self.shape.check(self.timeout)?;
        let connections = self.connections;
        ensure!(
            (1..=MAX_CONNECTIONS).contains(&connections),
            "{connections} connections: 1 to {MAX_CONNECTIONS}"
        );
        ensure!(
            self.duration.is_none_or(|duration| duration <= MAX_DURATION),
            "longer than {MAX_DURATION:?}"
        );
        ensure!(
            self.requests.is_none_or(|requests| requests <= MAX_REQUESTS),
            "more than {MAX_REQUESTS} requests"
        );
        ensure!(
            (Duration::from_millis(1)..=MAX_DURATION).contains(&self.timeout),
            "timeout: 1 ms to {MAX_DURATION:?}"
        );
        let plain = self.path.starts_with('/') && self.path.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(
            plain,
            "path {:?}: a slash first, printable ASCII without spaces",
            self.path
        );
        Ok(())
    }

    pub(super) fn bounds(&self) -> (Duration, u64) {
        (
            self.duration.unwrap_or(MAX_DURATION),
            self.requests.unwrap_or(MAX_REQUESTS),
        )
    }
}
