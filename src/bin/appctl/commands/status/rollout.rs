//! What `status` says of an app's last rollout: nothing, once it is over and nothing is left to do.

use appctl::host::record::{self, Last};
use appctl::rollout::{State, Watching};
use appctl::spec::AppName;

use crate::context::Context;

/// The last rollout, while it runs or waits for the operator.
pub(super) fn open(context: &Context, app: &AppName) -> Option<Last> {
    let last = record::read(&context.layout, app).ok()??;
    last.record.state.is_open().then_some(last)
}

/// Whether it is under way.
pub(super) fn runs(last: &Last) -> bool {
    last.driven && last.record.state == State::Running
}

/// The record as it is kept, and whether it was interrupted.
pub(super) fn json(last: &Last) -> serde_json::Value {
    let mut value = serde_json::to_value(&last.record).unwrap_or_default();
    value["interrupted"] = last.is_interrupted().into();
    value
}

/// Where it is and what to type, a sentence.
pub(super) fn note(last: &Last) -> String {
    let record = &last.record;
    let (app, verb, by, began) = (&record.app, record.verb, &record.by, &record.started);
    if runs(last) {
        return format!("{app}: {verb} by {by}, since {began}: {}", record.step);
    }
    let abort = format!("sudo appctl abort {app}");
    if record.state == State::Stopped {
        let message = record.message.as_deref().unwrap_or("it failed half way");
        return format!("{app}: {verb} by {by}, {began}: {message}; {abort}");
    }
    if record.watching == Some(Watching::Canaries) && !record.promoted {
        return format!(
            "{app}: {verb} by {by}, {began}: nobody watches its canaries; sudo appctl promote {app}, sudo appctl resume \
             {app}, or {abort}"
        );
    }
    format!(
        "{app}: {verb} by {by}, {began}, was interrupted at: {}; sudo appctl resume {app}, or {abort}",
        record.step
    )
}
