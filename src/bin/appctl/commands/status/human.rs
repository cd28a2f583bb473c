//! The tables of `appctl status`.

use std::time::Duration;

use anstyle::Style;
use jiff::Timestamp;

use super::json::time;
use super::model::{AppStatus, InstanceStatus};
use crate::ui::style::{BAD, DIM, GOOD, WARN};
use crate::ui::{Text, paint, quantity, table};

const APP: [&str; 10] = [
    "app", "state", "ready", "release", "pid", "uptime", "restarts", "cpu", "memory", "listen",
];
const INSTANCE: [&str; 8] = [
    "instance", "state", "pid", "release", "uptime", "restarts", "cpu", "memory",
];
const RIGHT: [&str; 6] = ["ready", "pid", "uptime", "restarts", "cpu", "memory"];
const NOTHING: &str = "-";

/// One table of apps, a table of instances per app when asked for, and notes.
pub(crate) fn text(apps: &[AppStatus], instances: bool, now: Timestamp) -> Text {
    if apps.is_empty() {
        return "no app is installed; in an app's directory, type: sudo appctl install NAME".into();
    }
    let rows: Vec<Vec<String>> = apps.iter().map(|app| app_row(app, now)).collect();
    let mut text = table::render(&APP, &rows, &RIGHT, colour);
    for app in apps.iter().filter(|_| instances) {
        let rows: Vec<Vec<String>> = app.instances.iter().map(|one| instance_row(app, one, now)).collect();
        if !rows.is_empty() {
            text = text.line("") + table::render(&INSTANCE, &rows, &RIGHT, colour);
        }
    }
    let notes: Vec<&String> = apps.iter().flat_map(|app| &app.notes).collect();
    if !notes.is_empty() {
        text = text.line("");
    }
    for note in notes {
        text = text.line(paint(WARN, "note:") + " " + note);
    }
    text
}

fn app_row(app: &AppStatus, now: Timestamp) -> Vec<String> {
    let all = &app.instances;
    let pid = match all.as_slice() {
        [only] => or_nothing(only.pid.map(|pid| pid.to_string())),
        _ => NOTHING.to_owned(),
    };
    let restarts: u64 = all.iter().map(|one| u64::from(one.restarts)).sum();
    let since = all.iter().filter_map(|one| one.since).min();
    let memory: Option<u64> = sum(all.iter().map(|one| one.usage.memory));
    let cpu: Option<Duration> = sum(all.iter().map(|one| one.usage.cpu));
    let listen = if app.listen.is_empty() {
        NOTHING.to_owned()
    } else {
        app.listen.join(" ")
    };
    vec![
        app.name.to_string(),
        app.state.word().to_owned(),
        format!("{}/{}", app.ready(), app.wanted),
        or_nothing(app.release().map(ToString::to_string)),
        pid,
        or_nothing(since.map(|since| age(since, now))),
        restarts.to_string(),
        or_nothing(cpu.map(quantity::span)),
        or_nothing(memory.map(quantity::bytes)),
        listen,
    ]
}

fn instance_row(app: &AppStatus, one: &InstanceStatus, now: Timestamp) -> Vec<String> {
    vec![
        format!("{}@{}", app.name, one.instance),
        one.state.word().to_owned(),
        or_nothing(one.pid.map(|pid| pid.to_string())),
        or_nothing(one.release.as_ref().map(ToString::to_string)),
        or_nothing(one.since.map(|since| age(since, now))),
        one.restarts.to_string(),
        or_nothing(one.usage.cpu.map(quantity::span)),
        or_nothing(one.usage.memory.map(quantity::bytes)),
    ]
}

fn colour(state: &str) -> Style {
    match state {
        "up" | "ready" => GOOD,
        "down" | "failed" => BAD,
        "stopped" => DIM,
        _ => WARN,
    }
}

fn or_nothing(text: Option<String>) -> String {
    text.unwrap_or_else(|| NOTHING.to_owned())
}

/// The sum of what is known; `None` when nothing is.
fn sum<T: std::iter::Sum>(parts: impl Iterator<Item = Option<T>>) -> Option<T> {
    let known: Vec<T> = parts.flatten().collect();
    (!known.is_empty()).then(|| known.into_iter().sum())
}

/// How long ago; a clock that was set back counts as now.
fn age(since: Duration, now: Timestamp) -> String {
    let seconds = time(since).map_or(0, |since| now.duration_since(since).as_secs());
    quantity::span(Duration::from_secs(seconds.try_into().unwrap_or(0)))
}
