#![no_main]
#![allow(dead_code, reason = "the shim uses all of it")]

#[path = "../src/adapter.rs"]
mod adapter;
#[path = "../../src/bin/appctl-shim/adapter_messages.rs"]
mod adapter_messages;
#[path = "../../src/bin/appctl-shim/answer.rs"]
mod answer;
#[path = "../../src/bin/appctl-shim/lines.rs"]
mod lines;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| adapter::check(bytes));
