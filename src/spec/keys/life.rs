//! The keys of `[stop]`, `[restart]` and `[rollout]`.

use std::time::Duration;

use super::span_from;
use crate::spec::Streams;
use crate::spec::key::{Key, Section};
use crate::spec::kind::{Choice, Flag, Span, StopSignal};

pub(in crate::spec) static STOP: Section = Section {
    name: "stop",
    doc: "How an instance is stopped: no new connections, requests in flight finish, then the signal, then SIGKILL.",
    required: &[],
    keys: &[
        &STOP_SIGNAL,
        &STOP_MESSAGE,
        &STOP_TIMEOUT,
        &STOP_LINGER,
        &STOP_STREAMS,
        &STOP_SPREAD,
    ],
};

pub(in crate::spec) static STOP_SIGNAL: Key<StopSignal> = Key {
    name: "signal",
    aka: &["kill_signal", "stop_signal", "killsignal"],
    kind: StopSignal,
    default: Some("\"SIGTERM\""),
    doc: "The app's own stop signal, sent once no request is in flight.",
};

pub(in crate::spec) static STOP_MESSAGE: Key<Choice<()>> = Key {
    name: "message",
    aka: &["shutdown_with_message", "stop_message"],
    kind: Choice(&[("shutdown", ())]),
    default: None,
    doc: "A message that the app receives with process.on('message') before the signal, which then follows only when \
          half of the remaining time is over.",
};

pub(in crate::spec) static STOP_TIMEOUT: Key<Span> = Key {
    name: "timeout",
    aka: &[
        "kill_timeout",
        "shutdown_timeout",
        "stop_timeout",
        "grace",
        "grace_period",
    ],
    kind: span_from(Duration::from_millis(100)),
    default: Some("\"30s\""),
    doc: "Time from the stop request to SIGKILL.",
};

pub(in crate::spec) static STOP_LINGER: Key<Span> = Key {
    name: "linger",
    aka: &[],
    kind: span_from(Duration::ZERO),
    default: Some("\"2s\""),
    doc: "How long an idle keep-alive connection may still send one more request.",
};

pub(in crate::spec) static STOP_STREAMS: Key<Choice<Streams>> = Key {
    name: "streams",
    aka: &["websockets", "websocket", "sse", "upgrades"],
    kind: Choice(&[
        ("close", Streams::Close),
        ("wait", Streams::Wait),
        ("cut", Streams::Cut),
    ]),
    default: Some("\"close\""),
    doc: "What happens to WebSockets and server-sent events, which never end by themselves. close: each is closed \
          between two messages, one after the other over the time of spread. wait: they stay open until timeout. cut: \
          all are closed at once.",
};

pub(in crate::spec) static STOP_SPREAD: Key<Span> = Key {
    name: "spread",
    aka: &["jitter"],
    kind: span_from(Duration::ZERO),
    default: Some("\"5s\""),
    doc: "The time over which WebSockets and server-sent events are closed, so that clients do not all reconnect at \
          once; only with streams = \"close\".",
};

pub(in crate::spec) static RESTART: Section = Section {
    name: "restart",
    doc: "Back-off between crashes: the first restart is immediate, then delay, doubling up to max_delay.",
    required: &[],
    keys: &[&RESTART_DELAY, &RESTART_MAX_DELAY, &RESTART_RESET_AFTER],
};

pub(in crate::spec) static RESTART_DELAY: Key<Span> = Key {
    name: "delay",
    aka: &["restart_delay", "backoff", "exp_backoff_restart_delay"],
    kind: span_from(Duration::from_millis(1)),
    default: Some("\"100ms\""),
    doc: "Delay before the second restart in a row.",
};

pub(in crate::spec) static RESTART_MAX_DELAY: Key<Span> = Key {
    name: "max_delay",
    aka: &["max_backoff"],
    kind: span_from(Duration::from_millis(100)),
    default: Some("\"30s\""),
    doc: "Longest delay between two restarts.",
};

pub(in crate::spec) static RESTART_RESET_AFTER: Key<Span> = Key {
    name: "reset_after",
    aka: &["reset", "min_uptime"],
    kind: span_from(Duration::from_millis(100)),
    default: Some("\"10s\""),
    doc: "Uptime after which earlier crashes are forgotten.",
};

pub(in crate::spec) static ROLLOUT: Section = Section {
    name: "rollout",
    doc: "How instances are replaced while the app serves.",
    required: &[],
    keys: &[&ROLLOUT_SURGE],
};

pub(in crate::spec) static ROLLOUT_SURGE: Key<Flag> = Key {
    name: "surge",
    aka: &["max_surge"],
    kind: Flag,
    default: Some("true"),
    doc: "Whether an extra instance proves the new state before any other is touched, and stands in while they are \
          replaced. Without it, one instance fewer serves meanwhile; if there is only one, requests wait in the \
          socket.",
};
