//! Waiting: the next start is not due. Pure.

use appctl::contract::ShimState;
use appctl::contract::times::GRACE_MS;

use super::event::{Action, Event, Exit, Millis, Note, Span};
use super::phase::{Phase, Waiting};
use super::starting;
use super::turn::Turn;
use crate::backoff::Record;

/// How often the remaining time is told again.
const RETELL: Millis = 5_000;

/// Starts at once, or says how long it will be.
pub(super) fn begin(turn: &mut Turn<'_>) -> Phase {
    let crashes = turn.life.record.crashes;
    let wait = turn.life.rules.backoff.wait(crashes);
    if wait == 0 {
        return starting::spawn(turn);
    }
    let patience = wait
        .saturating_add(turn.life.rules.ready_timeout)
        .saturating_add(GRACE_MS);
    turn.act(Action::Extend(patience));
    turn.note(Note::BackingOff { crashes, wait });
    tell_wait(turn, wait);
    Phase::Waiting(Waiting {
        until: turn.after(wait),
        retell: turn.after(RETELL),
    })
}

pub(super) fn step(turn: &mut Turn<'_>, waiting: Waiting, event: &Event) -> Phase {
    match event {
        Event::Tick if waiting.until <= turn.now => starting::spawn(turn),
        Event::Tick if waiting.retell <= turn.now => {
            tell_wait(turn, waiting.until - turn.now);
            let retell = turn.after(RETELL);
            Phase::Waiting(Waiting { retell, ..waiting })
        }
        Event::Terminate => stop_before_start(turn),
        Event::Tick
        | Event::Forward(_)
        | Event::Spawned { .. }
        | Event::Refused { .. }
        | Event::AppExited { .. }
        | Event::GroupGone
        // Nothing of the app runs.
        | Event::Adapter(..)
        | Event::Closed(_)
        | Event::Notified(_)
        | Event::Message
        | Event::Unheard
        | Event::Probed(_) => Phase::Waiting(waiting),
    }
}

fn tell_wait(turn: &mut Turn<'_>, wait: Millis) {
    let remark = format!("{}; next start in {}", turn.life.record.reason, Span(wait));
    turn.say(ShimState::BackingOff, remark);
    turn.life.remark = None;
}

fn stop_before_start(turn: &mut Turn<'_>) -> Phase {
    turn.life.record = Record::default();
    turn.act(Action::Stopping(turn.life.status(ShimState::Draining)));
    turn.remember();
    turn.act(Action::Finish(Exit::Code(0)));
    Phase::Done
}
