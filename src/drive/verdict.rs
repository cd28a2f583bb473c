//! How a rollout ended, in one sentence, and what to type next.

use crate::rollout::{Outcome, Record, Task};
use crate::spec::{AppName, Instance};

/// The sentence.
pub(super) fn sentence(outcome: &Outcome, record: &Record) -> String {
    let app = &record.about.app;
    match outcome {
        Outcome::Done { still_down } if still_down.is_empty() => done(record),
        Outcome::Done { still_down } => {
            format!(
                "{}, but {} did not come up, and was down before",
                done(record),
                list(still_down)
            )
        }
        Outcome::Kept(failure) => format!("{failure}; no other instance was touched, and the old ones still serve"),
        Outcome::WentBack(failure) => format!("{failure}; everything is back as it was before{}", back_on(record)),
        Outcome::Stopped {
            failure,
            stands_in,
            no_way_back,
        } => {
            let back = no_way_back
                .as_ref()
                .map(|why| format!("; undoing it failed, too: {why}"));
            format!("{failure}{}{}", back.unwrap_or_default(), left(app, *stands_in))
        }
        Outcome::Interrupted { clean: true } => "interrupted; everything is as it was before".to_owned(),
        Outcome::Interrupted { clean: false } if !record.rollout.is_promoted() => {
            format!(
                "interrupted; the canaries keep running, unwatched; to go on: appctl promote {app}; to watch them again: appctl resume {app}; to take them back: appctl abort {app}"
            )
        }
        Outcome::Interrupted { clean: false } => {
            format!("interrupted halfway; to finish it: appctl resume {app}; to end it: appctl abort {app}")
        }
        Outcome::Aborted { went_back: true, .. } => "taken back; everything is as it was before".to_owned(),
        Outcome::Aborted {
            no_way_back: Some(why), ..
        } => format!("undoing it failed: {why}"),
        Outcome::Aborted { .. } => {
            "ended halfway; the surge instance was stopped, the other instances were left alone".to_owned()
        }
    }
}

fn left(app: &AppName, stands_in: bool) -> String {
    if stands_in {
        format!("; the surge instance serves in its place until appctl rolling-restart {app} or appctl stop {app}")
    } else {
        "; the other instances were left alone".to_owned()
    }
}

fn back_on(record: &Record) -> String {
    let from = record.about.release.as_ref().and_then(|change| change.from.as_ref());
    from.map(|from| format!(", on release {from}")).unwrap_or_default()
}

fn done(record: &Record) -> String {
    let live = record
        .about
        .release
        .as_ref()
        .map(|change| format!("release {} is live: ", change.to));
    let unwatched = if record.rollout.is_unwatched() {
        "; interrupted while it was watched: a crash from now on takes nothing back"
    } else {
        ""
    };
    format!("{}{}{unwatched}", live.unwrap_or_default(), counts(record))
}

fn counts(record: &Record) -> String {
    let tasks = &record.rollout.request().tasks;
    let count = |is: fn(&Task) -> bool| tasks.iter().filter(|task| is(task)).count();
    let parts = [
        (count(|task| matches!(task, Task::Restart(_))), "replaced"),
        (count(|task| matches!(task, Task::Start(_))), "added"),
        (count(|task| matches!(task, Task::Stop(_))), "removed"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let texts: Vec<String> = parts
        .map(|(count, done)| format!("{} {done}", plural(*count)))
        .collect();
    texts.join(", ")
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 instance".to_owned(),
        many => format!("{many} instances"),
    }
}

fn list(instances: &[Instance]) -> String {
    let names: Vec<String> = instances
        .iter()
        .map(|instance| format!("instance {instance}"))
        .collect();
    names.join(", ")
}
