//! Both directions, and the vectors that Node's half is held to as well (`src/node/test/protocol.test.cjs`).

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AdapterMessage, Beat, LONGEST_LINE, LONGEST_SPAN, ShimMessage, from_adapter, from_shim};
use crate::contract::Responses;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).expect("JSON")
}

fn list(name: &str) -> Vec<Value> {
    let list = vectors()[name].as_array().cloned().unwrap_or_default();
    assert!(!list.is_empty(), "{name}");
    list
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a line")
}

/// As the vectors have it.
fn adapter_fields(message: &AdapterMessage) -> Value {
    match message {
        AdapterMessage::Hello { pid } => json!({ "word": "hello", "pid": pid }),
        AdapterMessage::Listening { address } => json!({ "word": "listening", "address": address }),
        AdapterMessage::Elsewhere { port } => json!({ "word": "elsewhere", "port": port }),
        AdapterMessage::Probe => json!({ "word": "probe" }),
        AdapterMessage::Ready => json!({ "word": "ready" }),
        AdapterMessage::Beat(Beat {
            delay,
            in_flight,
            open,
            responses,
        }) => {
            let responses = responses.map(|Responses { all, errors }| [all, errors]);
            json!({ "word": "beat", "delay": delay, "inFlight": in_flight, "open": open, "responses": responses })
        }
        AdapterMessage::Stopped => json!({ "word": "stopped" }),
        AdapterMessage::Drained { served, cut } => json!({ "word": "drained", "served": served, "cut": cut }),
        AdapterMessage::Traceable => json!({ "word": "traceable" }),
        AdapterMessage::Stack { line } => json!({ "word": "stack", "line": line }),
        AdapterMessage::Traced => json!({ "word": "traced" }),
    }
}

fn shim_fields(message: ShimMessage) -> Value {
    match message {
        ShimMessage::Accept => json!({ "word": "accept" }),
        ShimMessage::Stop { linger, timeout } => json!({ "word": "stop", "linger": linger, "timeout": timeout }),
        ShimMessage::Shutdown => json!({ "word": "shutdown" }),
    }
}

#[test]
fn what_an_adapter_says_is_read_and_written_as_the_vectors_have_it() {
    for vector in list("from_adapter") {
        let line = text(&vector[0]);
        let message = AdapterMessage::parse(line).unwrap_or_else(|| panic!("{line:?} is not understood"));
        assert_eq!(adapter_fields(&message), vector[1], "{line:?}");
        assert_eq!(message.to_string(), line);
    }
}

#[test]
fn what_the_shim_says_is_read_and_written_as_the_vectors_have_it() {
    for vector in list("from_shim") {
        let line = text(&vector[0]);
        let message = ShimMessage::parse(line).unwrap_or_else(|| panic!("{line:?} is not understood"));
        assert_eq!(shim_fields(message), vector[1], "{line:?}");
        assert_eq!(message.to_string(), line);
    }
}

#[test]
fn the_vectors_have_every_word() {
    let sorted = |words: &[&str]| words.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let words = |name| {
        list(name)
            .iter()
            .map(|vector| text(&vector[1]["word"]).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(words("from_adapter"), sorted(from_adapter::Word::ALL));
    assert_eq!(words("from_shim"), sorted(from_shim::Word::ALL));
    assert_eq!(vectors()["longest_line"], LONGEST_LINE);
}

#[test]
fn an_older_or_newer_adapter_is_understood_as_far_as_it_goes() {
    for vector in list("understood_by_shim") {
        let (line, meaning) = (text(&vector[0]), text(&vector[1]));
        assert_eq!(
            AdapterMessage::parse(line).map(|it| it.to_string()).as_deref(),
            Some(meaning),
            "{line:?}"
        );
    }
}

#[test]
fn everything_else_means_nothing() {
    for line in list("ignored_by_shim") {
        assert_eq!(AdapterMessage::parse(text(&line)), None, "{line}");
    }
    for line in list("ignored_by_adapter") {
        assert_eq!(ShimMessage::parse(text(&line)), None, "{line}");
    }
}

#[test]
fn a_line_of_a_stack_is_cut() {
    let line = format!("stack {}", "é".repeat(999));
    assert_eq!(
        AdapterMessage::parse(&line),
        Some(AdapterMessage::Stack { line: "é".repeat(300) })
    );
}

/// Every message, with any content that a line can carry.
fn any_adapter_message() -> impl Strategy<Value = AdapterMessage> {
    let counts = (any::<u64>(), any::<u64>()).prop_map(|(a, b)| Responses {
        all: a.max(b),
        errors: a.min(b),
    });
    let beat = (any::<(u32, u32, u32)>(), proptest::option::of(counts));
    prop_oneof![
        (1..=u32::MAX).prop_map(|pid| AdapterMessage::Hello { pid }),
        "\\PC{0,200}".prop_map(|address| AdapterMessage::Listening { address }),
        any::<u16>().prop_map(|port| AdapterMessage::Elsewhere { port }),
        Just(AdapterMessage::Probe),
        Just(AdapterMessage::Ready),
        beat.prop_map(|((delay, in_flight, open), responses)| {
            AdapterMessage::Beat(Beat {
                delay,
                in_flight,
                open,
                responses,
            })
        }),
        Just(AdapterMessage::Stopped),
        any::<(u32, u32)>().prop_map(|(served, cut)| AdapterMessage::Drained { served, cut }),
        Just(AdapterMessage::Traceable),
        "\\PC{0,200}".prop_map(|line| AdapterMessage::Stack { line }),
        Just(AdapterMessage::Traced),
    ]
}

proptest! {
    #[test]
    fn what_an_adapter_means_survives_the_line(message in any_adapter_message()) {
        prop_assert_eq!(AdapterMessage::parse(&message.to_string()), Some(message));
    }

    #[test]
    fn what_the_shim_means_survives_the_line(linger: u64, timeout: u64) {
        let said = ShimMessage::Stop { linger, timeout };
        let heard = ShimMessage::Stop { linger: linger.min(LONGEST_SPAN), timeout: timeout.min(LONGEST_SPAN) };
        prop_assert_eq!(ShimMessage::parse(&said.to_string()), Some(heard));
    }

    #[test]
    fn what_is_understood_is_written_so_that_it_is_understood_again(
        line in "\\PC{0,99}|(hello|beat|drained|stack|elsewhere|listening|probe)( -?[0-9]{1,21}){0,6}"
    ) {
        if let Some(message) = AdapterMessage::parse(&line) {
            prop_assert_eq!(AdapterMessage::parse(&message.to_string()), Some(message));
        }
    }

    #[test]
    fn no_message_of_one_side_is_one_of_the_other(message in any_adapter_message()) {
        prop_assert_eq!(ShimMessage::parse(&message.to_string()), None);
    }
}
