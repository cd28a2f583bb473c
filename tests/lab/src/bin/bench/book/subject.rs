//! What is measured, in the words the table uses, and who is measured.

use serde::{Serialize, Serializer};

/// Who is measured: the columns, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Who {
    Node,
    Pm2,
    Pm2Handler,
    Appctl,
}

impl Who {
    pub(crate) const ALL: [Self; 4] = [Self::Node, Self::Pm2, Self::Pm2Handler, Self::Appctl];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Node => "Node alone",
            Self::Pm2 => "PM2",
            Self::Pm2Handler => "PM2, SIGINT handler",
            Self::Appctl => "appctl",
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Requests,
    RequestsPerSecond,
    Milliseconds,
    Microseconds,
    Kibibytes,
}

impl Unit {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::RequestsPerSecond => "requests/s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Kibibytes => "KiB",
        }
    }

    /// More of it is better.
    pub(crate) fn more_is_better(self) -> bool {
        self == Self::RequestsPerSecond
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) what: &'static str,
    pub(crate) unit: Unit,
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.what)
    }
}

const fn subject(what: &'static str, unit: Unit) -> Subject {
    Subject { what, unit }
}

pub(crate) const LOST_ONE: Subject = subject("lost per reload: one request per connection", Unit::Requests);
pub(crate) const LOST_KEEP: Subject = subject("lost per reload: keep-alive POST 16 KiB", Unit::Requests);
pub(crate) const LOST_PIPE: Subject = subject("lost per reload: pipelined", Unit::Requests);
pub(crate) const LOST_UPLOAD: Subject = subject("lost per reload: slow upload, 0.8 s", Unit::Requests);
pub(crate) const LOST_SLOW: Subject = subject("lost per reload: slow response, 1 s", Unit::Requests);
pub(crate) const RELOAD_IDLE: Subject = subject("full reload of 4 workers, no load", Unit::Milliseconds);
pub(crate) const RELOAD_KEEP: Subject = subject("full reload of 4 workers, keep-alive load", Unit::Milliseconds);
pub(crate) const RELOAD_UPSTREAM: Subject = subject(
    "full reload of 4 workers, keep-alive load, nodejs.org's Node",
    Unit::Milliseconds,
);
pub(crate) const START: Subject = subject("node -e 0, Debian's Node", Unit::Milliseconds);
pub(crate) const START_UPSTREAM: Subject = subject("node -e 0, nodejs.org's Node", Unit::Milliseconds);
pub(crate) const KILL_TIME: Subject = subject("kill -9 of one of 4 workers to full strength", Unit::Milliseconds);
pub(crate) const KILL_ONE: Subject = subject("lost per kill -9: one request per connection", Unit::Requests);
pub(crate) const KILL_KEEP: Subject = subject("lost per kill -9: keep-alive POST 16 KiB", Unit::Requests);
pub(crate) const RATE_KEEP_1: Subject = subject("keep-alive, 1 worker on a core", Unit::RequestsPerSecond);
pub(crate) const RATE_ONE_1: Subject = subject("one per connection, 1 worker on a core", Unit::RequestsPerSecond);
pub(crate) const RATE_KEEP_2: Subject = subject("keep-alive, 2 workers on a core", Unit::RequestsPerSecond);
pub(crate) const RATE_ONE_2: Subject = subject("one per connection, 2 workers on a core", Unit::RequestsPerSecond);
pub(crate) const CPU_KEEP_1: Subject = subject("CPU per request: keep-alive, 1 worker", Unit::Microseconds);
pub(crate) const CPU_ONE_1: Subject = subject("CPU per request: one per connection, 1 worker", Unit::Microseconds);
pub(crate) const CPU_KEEP_2: Subject = subject("CPU per request: keep-alive, 2 workers", Unit::Microseconds);
pub(crate) const CPU_ONE_2: Subject = subject("CPU per request: one per connection, 2 workers", Unit::Microseconds);
pub(crate) const BESIDE_KEEP: Subject = subject("CPU per request side by side: keep-alive", Unit::Microseconds);
pub(crate) const BESIDE_ONE: Subject = subject("CPU per request side by side: one per connection", Unit::Microseconds);
pub(crate) const PSS: Subject = subject("supervision of 4 workers, PSS", Unit::Kibibytes);
pub(crate) const ANONYMOUS: Subject = subject("supervision of 4 workers, anonymous memory", Unit::Kibibytes);
pub(crate) const LIST: Subject = subject("appctl status, pm2 ls", Unit::Milliseconds);
pub(crate) const IDLE: Subject = subject("CPU of the supervisor per idle minute", Unit::Milliseconds);
pub(crate) const IDLE_PID1: Subject = subject("CPU of systemd per idle minute", Unit::Milliseconds);
