//! Server-sent events: a response that goes on for a while, in numbered pieces.

use std::time::Duration;

pub(super) fn path(count: u32, every: Duration) -> String {
    format!("/events?count={count}&ms={}", every.as_millis())
}
