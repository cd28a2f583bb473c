//! Rollouts that an earlier `appctl` has left, in files that it wrote itself, and what it did with each: `NAME.ways` has
//! the state and the step that it told of `NAME.json`, and its steps on both ways out where all of them work.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::parse;
use crate::rollout::{Event, Progress, Record, Report, Rollout, Seen, Step};
use crate::spec::Instance::{self, Surge};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host/record/earlier");
    let all = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").path());
    all.filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}

fn read(path: &Path) -> (String, Record) {
    let text = fs::read_to_string(path).expect("text");
    let record = parse(&text).expect("a record");
    (text, record)
}

/// What runs after the kill: what was begun and not seen to its end is as it was before.
fn seen(report: &Report) -> BTreeMap<Instance, Seen> {
    let instances = report.instances.iter().filter_map(|entry| {
        let invocation = match entry.progress {
            Progress::Done => entry.new.clone(),
            _ => entry.old.clone(),
        };
        let new = report.release.as_ref().map(|_| invocation == entry.new);
        let up = entry.progress != Progress::Failed;
        invocation
            .is_some()
            .then_some((entry.instance, Seen { up, invocation, new }))
    });
    let surge = report.surge_run.is_some().then(|| Seen {
        up: true,
        invocation: report.surge_run.clone(),
        new: report.release.as_ref().map(|_| true),
    });
    instances.chain(surge.map(|surge| (Surge, surge))).collect()
}

/// The event that says a step worked.
fn success(step: &Step) -> Event {
    match step {
        Step::Stage | Step::Commit => Event::Switched,
        Step::Undo => Event::Undone,
        Step::Run(task) if task.brings_up() => Event::Up(task.instance(), "new".to_owned()),
        Step::Run(task) => Event::Down(task.instance()),
        Step::Settle(_) => Event::Settled,
        Step::Bake { .. } => Event::Baked,
        Step::Continue | Step::Finish(_) => unreachable!("nothing to answer"),
    }
}

fn way(mut rollout: Rollout, seen: &BTreeMap<Instance, Seen>, begin: Event) -> String {
    rollout.reopen(seen);
    let begin = if rollout.is_going_back() { Event::Abort } else { begin };
    let mut step = rollout.step(begin);
    let mut text = String::new();
    loop {
        if let Step::Finish(outcome) = &step {
            writeln!(text, "  {outcome:?}").expect("fits");
            return text;
        }
        writeln!(text, "  {step}").expect("fits");
        step = rollout.step(success(&step));
    }
}

#[test]
fn each_is_told_resumed_and_aborted_as_the_one_that_left_it_would_have() {
    for path in files() {
        let record = read(&path).1;
        let seen = seen(&Report::from(&record));
        let rollout = record.rollout;
        let step = rollout.step_name();
        let state = rollout.state();
        let resume = way(rollout.clone(), &seen, Event::Begin);
        let abort = way(rollout, &seen, Event::Abort);
        let ways = format!("{state:?} at: {step}\nresume\n{resume}abort\n{abort}");
        let expected = fs::read_to_string(path.with_extension("ways")).expect("text");
        assert_eq!(ways, expected, "{}", path.display());
    }
}

#[test]
fn each_is_shown_in_the_same_words_to_the_byte() {
    assert!(files().len() > 30, "{} files", files().len());
    for path in files() {
        let (text, record) = read(&path);
        let shown = serde_json::to_string_pretty(&Report::from(&record)).expect("plain data");
        assert_eq!(shown + "\n", text, "{}", path.display());
    }
}

#[test]
fn they_hold_every_value_that_such_a_file_can_have() {
    let texts: String = files().iter().map(|path| read(path).0).collect();
    let values = [
        "rolling-restart",
        "apply",
        "scale",
        "deploy",
        "rollback", // verbs
        "running",
        "done",
        "kept",
        "went-back",
        "stopped",
        "interrupted",
        "aborted", // states
        "waiting",
        "failed",
        "restart",
        "start",
        "stop", // of instances
        "canaries",
        "all",
    ];
    for value in values {
        assert!(texts.contains(&format!(": \"{value}\"")), "no {value}");
    }
    for key in [
        "surge",
        "staged",
        "going_back",
        "promoted",
        "unwatched",
        "ailing",
        "undo",
        "commit",
        "stage",
    ] {
        for value in [true, false] {
            assert!(texts.contains(&format!("\"{key}\": {value}")), "no {key}: {value}");
        }
    }
    assert!(texts.contains("\"from\": null") && texts.contains("\"from\": \""));
}

#[test]
fn an_instance_or_a_release_that_cannot_be_is_not_passed_over() {
    let good = include_str!("earlier/deploy-rolls.json");
    for (typed, wrong) in [
        ("\"instance\": \"2\"", "\"instance\": \"02\""),
        ("20261121T090000Z", "../../etc"),
        ("myapp", "My App"),
    ] {
        assert!(good.contains(typed), "{typed}");
        assert!(parse(&good.replace(typed, wrong)).is_err(), "{wrong}");
    }
}
