//! A handler that takes its time, so that its request is under way when the instance is told to stop.

use std::time::Duration;

pub(super) fn path(handler: Duration) -> String {
    format!("/slow?ms={}", handler.as_millis())
}
