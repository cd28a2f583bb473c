//! The keys of `[ready]`.

use std::time::Duration;

use super::span_from;
use crate::spec::key::{Key, Section};
use crate::spec::kind::{Choice, ProbePath, Span, Whole};

/// The proofs of readiness without their parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum Proof {
    Notify,
    Listening,
    Http,
    Message,
    Started,
}

pub(in crate::spec) static READY: Section = Section {
    name: "ready",
    doc: "What proves that an instance can serve. The deadline means failure, never success.",
    required: &[],
    keys: &[
        &READY_WHEN,
        &READY_PATH,
        &READY_STATUS,
        &READY_AFTER,
        &READY_TIMEOUT,
        &READY_SETTLE,
    ],
};

pub(in crate::spec) static READY_WHEN: Key<Choice<Proof>> = Key {
    name: "when",
    aka: &["type", "on"],
    kind: Choice(&[
        ("notify", Proof::Notify),
        ("listening", Proof::Listening),
        ("http", Proof::Http),
        ("message", Proof::Message),
        ("started", Proof::Started),
    ]),
    default: None,
    doc: "notify: the app's own sd_notify READY=1. listening: it listens on one of its sockets. http: this instance \
          answers GET path with status. message: process.send('ready'). started: still alive when the time in after \
          is over. Without it, listening when the adapter is node and the app listens, else started.",
};

pub(in crate::spec) static READY_PATH: Key<ProbePath> = Key {
    name: "path",
    aka: &["url", "uri", "endpoint"],
    kind: ProbePath,
    default: Some("\"/\""),
    doc: "The path of the probe; only with when = \"http\".",
};

pub(in crate::spec) static READY_STATUS: Key<Whole> = Key {
    name: "status",
    aka: &["code"],
    kind: Whole { least: 200, most: 599 },
    default: Some("200"),
    doc: "The expected status; only with when = \"http\".",
};

pub(in crate::spec) static READY_AFTER: Key<Span> = Key {
    name: "after",
    aka: &["min_uptime", "delay"],
    kind: span_from(Duration::from_millis(1)),
    default: Some("\"1s\""),
    doc: "How long the app must stay alive; only with when = \"started\".",
};

pub(in crate::spec) static READY_TIMEOUT: Key<Span> = Key {
    name: "timeout",
    aka: &["listen_timeout", "deadline", "start_timeout"],
    kind: span_from(Duration::from_millis(100)),
    default: Some("\"60s\""),
    doc: "Longest time from the start to the proof; an app can at most double it with EXTEND_TIMEOUT_USEC of \
          sd_notify.",
};

pub(in crate::spec) static READY_SETTLE: Key<Span> = Key {
    name: "settle",
    aka: &[],
    kind: span_from(Duration::ZERO),
    default: Some("\"1500ms\""),
    doc: "How long a new instance must then stay up before a rollout goes on.",
};
