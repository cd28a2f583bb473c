#![no_main]

#[path = "../src/variables.rs"]
mod variables;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| variables::check(bytes));
