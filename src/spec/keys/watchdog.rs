//! The keys of `[watchdog]`.

use std::time::Duration;

use super::span_from;
use crate::spec::key::{Key, Section};
use crate::spec::kind::{OrOff, Span};

pub(in crate::spec) static WATCHDOG: Section = Section {
    name: "watchdog",
    doc: "Replaces an instance whose event loop is blocked, after its JavaScript stack was written to the journal.",
    required: &[],
    keys: &[&WATCHDOG_INTERVAL],
};

/// An adapter beats once a second: with less, one beat that is late would be death.
pub(in crate::spec) static WATCHDOG_INTERVAL: Key<OrOff<Span>> = Key {
    name: "interval",
    aka: &["timeout", "every", "watchdog_sec", "watchdogsec"],
    kind: OrOff(span_from(Duration::from_secs(3))),
    default: None,
    doc: "How long the event loop may be blocked once the instance is ready, or \"off\". Without it, 60s when the \
          adapter is node and the app listens, else off.",
};
