//! The file format as an operator meets it: every mistake with its exact report, every good file with its meaning.
//!
//! `tests/spec/bad/*.toml` are wrong in the way their name says, the report stands beside each in a `.txt`;
//! `tests/spec/good/*.toml` are right, the app they describe stands beside. `SNAPSHOTS=overwrite` rewrites them.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};

use appctl::spec::{AppName, AppSpec, Listen, parse};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

#[path = "spec/hostile.rs"]
mod hostile;
#[path = "spec/properties.rs"]
mod properties;
#[path = "../src/bin/appctl/ui/report.rs"]
mod report;

#[test]
fn every_mistake_is_reported_at_its_place_with_advice() {
    let count = for_each_file("bad", |name, text| {
        let problems = parse(&name, text).expect_err("this file is wrong");
        report::render(&format!("{name}.toml"), text, &problems, false)
    });
    assert!(count >= 60, "{count}");
}

#[test]
fn every_good_file_means_what_its_golden_says() {
    let count = for_each_file("good", |name, text| match parse(&name, text) {
        Ok(spec) => summary(&spec),
        Err(problems) => panic!("{}", report::render(name.as_str(), text, &problems, false)),
    });
    assert!(count >= 25, "{count}");
}

#[test]
fn six_mistakes_are_six_reports() {
    let text = "exec = ''\ninstances = 0\nlisten = 65536\nuser = 'a b'\ncolour = 1\n[stop]\nsignal = 'SIGKILL'\n";
    assert_eq!(parse(&name("six"), text).expect_err("six mistakes").len(), 6);
}

#[test]
fn colour_is_an_option_of_the_report() {
    let problems = parse(&name("x"), "exec = 1").expect_err("wrong type");
    assert!(report::render("x.toml", "exec = 1", &problems, true).contains("\u{1b}["));
    assert!(!report::render("x.toml", "exec = 1", &problems, false).contains('\u{1b}'));
    assert_eq!(report::render("x.toml", "", &[], true), "");
}

fn name(text: &str) -> AppName {
    text.parse().expect("a good name")
}

/// Compares what `show` makes of each file of a folder with its golden.
fn for_each_file(folder: &str, show: impl Fn(AppName, &str) -> String) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("is readable").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("is text");
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("is text");
        let golden = Data::read_from(&path.with_extension("txt"), Some(DataFormat::Text)).raw();
        Assert::new()
            .action_env("SNAPSHOTS")
            .eq(show(name(stem), &text), golden);
    }
    files.len()
}

/// One line for each field; a new field does not compile until it has its line.
fn summary(spec: &AppSpec) -> String {
    let AppSpec {
        name,
        exec,
        instances,
        account,
        listen,
        backlog,
        socket,
        directory,
        env,
        env_files,
        increment,
        adapter,
        ready,
        stop,
        restart,
        surge,
        watchdog,
        limits,
        sandbox,
        deploy,
    } = spec;
    let listen: Vec<_> = listen.iter().map(Listen::to_string).collect();
    lines(&[
        ("name", &name.as_str()),
        ("exec", exec),
        ("instances", instances),
        ("account", account),
        ("listen", &listen),
        ("backlog", backlog),
        ("socket", socket),
        ("directory", directory),
        ("env", env),
        ("env_files", env_files),
        ("increment", increment),
        ("adapter", adapter),
        ("ready", ready),
        ("stop", stop),
        ("restart", restart),
        ("surge", surge),
        ("watchdog", watchdog),
        ("limits", limits),
        ("sandbox", sandbox),
        ("deploy", deploy),
    ])
}

fn lines(fields: &[(&str, &dyn std::fmt::Debug)]) -> String {
    let lines = fields.iter().map(|(field, value)| format!("{field}: {value:?}\n"));
    lines.collect::<Vec<_>>().concat()
}
