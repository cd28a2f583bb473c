//! The properties that `make fuzz` searches for counterexamples with coverage counters, tried on the seeds in the tree and on
//! some thousands of inputs made of them, always the same.
#![cfg(feature = "cli")]
#![allow(dead_code, reason = "the shim uses all of it")]

use std::path::Path;

#[path = "../fuzz/src/adapter.rs"]
mod adapter;
#[path = "../src/bin/appctl-shim/adapter_messages.rs"]
mod adapter_messages;
#[path = "../src/bin/appctl-shim/answer.rs"]
mod answer;
#[path = "../fuzz/src/archive.rs"]
mod archive;
#[path = "../fuzz/src/config.rs"]
mod config;
#[path = "../fuzz/src/journal.rs"]
mod journal;
#[path = "../src/bin/appctl-shim/lines.rs"]
mod lines;
#[path = "../fuzz/src/variables.rs"]
mod variables;

#[test]
fn any_config() {
    let seeds = [
        &seeds("fuzz/corpus/config")[..],
        &seeds("tests/spec/good"),
        &seeds("tests/spec/bad"),
    ]
    .concat();
    run(&seeds, 3_000, config::check);
}

#[test]
fn any_journal() {
    run(&seeds("fuzz/corpus/journal"), 15_000, journal::check);
}

#[test]
fn any_archive() {
    run(&seeds("fuzz/corpus/archive"), 1_500, archive::check);
}

#[test]
fn any_words_of_an_adapter() {
    run(&seeds("fuzz/corpus/adapter"), 15_000, adapter::check);
}

#[test]
fn any_file_of_variables() {
    run(&seeds("fuzz/corpus/variables"), 15_000, variables::check);
}

fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("is readable").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}", folder.display());
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("is readable"))
        .collect()
}

fn run(seeds: &[Vec<u8>], times: usize, check: fn(&[u8])) {
    for seed in seeds {
        check(seed);
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..times {
        let mut input = dice.one_of(seeds).clone();
        for _ in 0..=dice.below(4) {
            change(&mut input, seeds, &mut dice);
        }
        check(&input);
    }
}

/// Bytes that mean something to one of the parsers.
const PIECES: [&[u8]; 12] = [
    b"\0",
    b"\n",
    b"=",
    b"\"",
    b"\\",
    b"\x1b[",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"../",
    b"[",
    b"'''",
    b"\r\n\r\n",
    b" 4294967296",
];

/// One change of the kinds that fuzzers make.
fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let length = dice.below(input.len() - at + 1).min(200);
    match dice.below(6) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 => drop(input.splice(at..at, dice.one_of(&PIECES).iter().copied())),
        2 => drop(input.drain(at..at + length)),
        3 => drop(input.splice(at..at, input[at..at + length].to_vec())),
        4 => input.truncate(at),
        _ => {
            let other = dice.one_of(seeds);
            let from = dice.below(other.len() + 1);
            input.splice(at..at + length, other[from..].iter().copied().take(400));
        }
    }
}

/// xorshift64*: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or(0) % end.max(1)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
