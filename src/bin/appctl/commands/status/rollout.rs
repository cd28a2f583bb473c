//! What `status` says of an app's last rollout: nothing, once it is over and nothing is left to do.

use appctl::host::record::{self, Last};
use appctl::rollout::{Report, State, Watching};
use appctl::spec::AppName;

use crate::context::Context;

/// The last rollout, while it runs or waits for the operator.
pub(super) fn open(context: &Context, app: &AppName) -> Option<Last> {
    let last = record::read(context.layout.of(app)).ok()??;
    last.record.rollout.state().is_open().then_some(last)
}

/// Whether it is under way.
pub(super) fn runs(last: &Last) -> bool {
    last.driven && last.record.rollout.state() == State::Running
}

/// What is told of it, and whether it was interrupted.
pub(super) fn json(last: &Last) -> serde_json::Value {
    let mut value = serde_json::to_value(Report::from(&last.record)).unwrap_or_default();
    value["interrupted"] = last.is_interrupted().into();
    value
}

/// Where it is and what to type, a sentence.
pub(super) fn note(last: &Last) -> String {
    let (facts, rollout) = (&last.record.about, &last.record.rollout);
    let (app, verb, by, began) = (&facts.app, rollout.verb(), &facts.driver.user, &facts.started);
    let step = rollout.step_name();
    if runs(last) {
        return format!("{app}: {verb} by {by}, since {began}: {step}");
    }
    let abort = format!("sudo appctl abort {app}");
    if rollout.state() == State::Stopped {
        let message = facts.message.as_deref().unwrap_or("it failed halfway");
        return format!("{app}: {verb} by {by}, {began}: {message}; {abort}");
    }
    if rollout.watching() == Some(Watching::Canaries) && !rollout.is_promoted() {
        return format!(
            "{app}: {verb} by {by}, {began}: its canaries run unwatched; type: sudo appctl promote {app}, sudo appctl \
                resume {app} or {abort}"
        );
    }
    format!("{app}: {verb} by {by}, {began}, was interrupted at: {step}; type: sudo appctl resume {app} or {abort}")
}
