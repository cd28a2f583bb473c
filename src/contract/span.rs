//! Time spans, and how people read them.

use std::fmt;

/// Milliseconds. As a moment: of `CLOCK_BOOTTIME`, `clock_gettime(2)`.
pub type Millis = u64;

/// A span for people: `340 ms`, `1.2 s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            short @ ..1_000 => write!(f, "{short} ms"),
            long => write!(f, "{}.{} s", long / 1_000, long % 1_000 / 100),
        }
    }
}
