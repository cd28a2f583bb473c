//! The buckets. A request ends in exactly one; an answer nobody asked for adds one more to `duplicate` or `wrong_body`.

use serde::Serialize;

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Status 200, the request's own id, the expected body.
    Ok,
    /// The connection was not accepted (`ECONNREFUSED`; unix: also no socket file, or `EAGAIN` of a full queue).
    Refused,
    /// RST before any byte of the response.
    Reset,
    /// FIN before any byte of the response.
    Eof,
    /// FIN or RST inside the response.
    Truncated,
    /// Not complete within the plan's timeout, counted from the request's start.
    Timeout,
    /// A complete response with a status of 500 to 599.
    #[serde(rename = "5xx")]
    ServerError,
    /// The id or the body is not the request's, the status is neither 200 nor 5xx, or it is no HTTP at all.
    WrongBody,
    /// The response's id had been seen before.
    Duplicate,
    /// Left undone, and the protocol says so, hence free to be sent again. Not a loss. HTTP/1.1: pipelined behind a
    /// response that said `Connection: close`, then a clean FIN (RFC 9112 §9.6). HTTP/2: a stream above the last one of
    /// a GOAWAY without error, or `REFUSED_STREAM` (RFC 9113 §6.8, §8.7). WebSocket: a message that crossed with the
    /// server's close frame 1001 or 1012 (RFC 6455 §5.5.1, §7.4.1).
    Declined,
    /// This client could not open a socket (`EMFILE`, no free port). Says nothing about the server, passes no test.
    Local,
}

impl Bucket {
    /// Neither answered nor known to be left undone.
    pub fn is_loss(self) -> bool {
        !matches!(self, Self::Ok | Self::Declined)
    }
}

/// Requests per [`Bucket`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are the buckets")]
pub struct Counts {
    pub ok: u64,
    pub refused: u64,
    pub reset: u64,
    pub eof: u64,
    pub truncated: u64,
    pub timeout: u64,
    #[serde(rename = "5xx")]
    pub server_error: u64,
    pub wrong_body: u64,
    pub duplicate: u64,
    pub declined: u64,
    pub local: u64,
}

impl Counts {
    /// This many in one bucket, none in the others.
    pub fn only(bucket: Bucket, count: u64) -> Self {
        Self::default().and(bucket, count)
    }

    /// So many more in one bucket.
    #[must_use]
    pub fn and(mut self, bucket: Bucket, count: u64) -> Self {
        *self.slot(bucket) += count;
        self
    }

    pub(super) fn add(&mut self, bucket: Bucket) {
        *self.slot(bucket) += 1;
    }

    fn slot(&mut self, bucket: Bucket) -> &mut u64 {
        match bucket {
            Bucket::Ok => &mut self.ok,
            Bucket::Refused => &mut self.refused,
            Bucket::Reset => &mut self.reset,
            Bucket::Eof => &mut self.eof,
            Bucket::Truncated => &mut self.truncated,
            Bucket::Timeout => &mut self.timeout,
            Bucket::ServerError => &mut self.server_error,
            Bucket::WrongBody => &mut self.wrong_body,
            Bucket::Duplicate => &mut self.duplicate,
            Bucket::Declined => &mut self.declined,
            Bucket::Local => &mut self.local,
        }
    }

    /// Every bucket with its name, in the order people read them.
    pub fn rows(&self) -> [(&'static str, u64); 11] {
        [
            ("ok", self.ok),
            ("refused", self.refused),
            ("reset", self.reset),
            ("eof", self.eof),
            ("truncated", self.truncated),
            ("timeout", self.timeout),
            ("5xx", self.server_error),
            ("wrong body", self.wrong_body),
            ("duplicate", self.duplicate),
            ("declined", self.declined),
            ("local", self.local),
        ]
    }

    /// Requests that were not answered as they should have been, and those this client failed to send.
    pub fn lost(&self) -> u64 {
        self.total() - self.ok - self.declined
    }

    /// All buckets together.
    pub fn total(&self) -> u64 {
        self.rows().iter().map(|(_, count)| count).sum()
    }
}
