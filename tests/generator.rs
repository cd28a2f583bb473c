//! `appctl-generator` on whole miniature roots: `tests/generator/NN-name/` holds a root, and for each systemd the exact
//! directory it must make of it. `SNAPSHOTS=overwrite cargo test --test generator` writes the expectations anew.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "generator/edges.rs"]
mod edges;
#[path = "generator/run.rs"]
mod run;
#[path = "generator/tree.rs"]
mod tree;
#[path = "generator/verify.rs"]
mod verify;

use tree::Tree;

/// What Debian 12 and Debian 13 have.
const VERSIONS: [u16; 2] = [252, 257];

fn cases() -> Vec<PathBuf> {
    let all = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generator")).expect("cases exist");
    let mut cases: Vec<_> = all
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 14, "cases are missing: {cases:?}");
    cases
}

fn overwrite() -> bool {
    std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite")
}

#[test]
fn every_root_makes_exactly_its_units() {
    let mut wrong = Vec::new();
    for case in cases() {
        for version in VERSIONS {
            let made = run::generate(&case, version);
            check(&case.join(format!("expected-{version}")), &made.units, &mut wrong);
            check_complaints(&case.join("expected.stderr"), &made.stderr, &mut wrong);
            assert_eq!(
                made.status,
                i32::from(!made.stderr.is_empty()),
                "{}: {}",
                case.display(),
                made.stderr
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(expected: &Path, made: &Tree, wrong: &mut Vec<String>) {
    if overwrite() {
        made.write(expected);
    }
    wrong.extend(
        Tree::read(expected)
            .difference(made)
            .map(|text| format!("{}: {text}", expected.display())),
    );
}

fn check_complaints(expected: &Path, made: &str, wrong: &mut Vec<String>) {
    if overwrite() {
        fs::write(expected, made).expect("the case is writable");
    }
    let wanted = fs::read_to_string(expected).unwrap_or_default();
    if wanted != made {
        wrong.push(format!("{}: wanted\n{wanted}made\n{made}", expected.display()));
    }
}

#[test]
fn systemd_accepts_every_unit() {
    let installed = verify::version();
    let version = VERSIONS.into_iter().rev().find(|version| *version <= installed);
    let version = version.expect("systemd is one of those that are supported");
    for case in cases() {
        let expected = case.join(format!("expected-{version}"));
        let complaints = verify::complaints(&Tree::read(&expected));
        assert!(complaints.is_empty(), "{}: {complaints}", expected.display());
    }
}

#[test]
fn verification_notices_a_key_that_systemd_does_not_know() {
    let unit = "[Service]\nExecStart=/bin/true\nRestartSomehow=yes\n";
    let complaints = verify::complaints(&Tree::of(&[("web.service", unit)]));
    assert!(complaints.contains("RestartSomehow"), "{complaints}");
}
