//! Ready: the app serves. Pure.

use appctl::contract::ShimState;

use super::blocked;
use super::event::{Action, AdapterMessage, Event, Notified, Span};
use super::phase::Phase;
use super::stopping;
use super::turn::Turn;

pub(super) fn step(turn: &mut Turn<'_>, event: Event) -> Phase {
    match event {
        Event::Terminate => return stopping::asked(turn),
        Event::AppExited { exit, .. } => {
            let served = Span(turn.since(turn.life.record.ready_at.unwrap_or(turn.now)));
            return turn.crashed(exit, format!("{exit}, {served} after it was ready"));
        }
        Event::Tick => return blocked::look(turn),
        Event::Forward(signal) => turn.act(Action::Forward(signal)),
        Event::Adapter(_, message) => heard(turn, &message),
        Event::Notified(Notified::Status(words)) => turn.quote(ShimState::Ready, words),
        Event::Notified(Notified::Watchdog) if turn.life.rules.watchdog => turn.act(Action::Watchdog),
        Event::Spawned { .. }
        | Event::Refused { .. }
        | Event::GroupGone
        | Event::Closed(_)
        | Event::Notified(Notified::Ready | Notified::Extend(_) | Notified::Watchdog)
        | Event::Message
        | Event::Unheard
        | Event::Probed(_) => {}
    }
    Phase::Ready
}

fn heard(turn: &mut Turn<'_>, message: &AdapterMessage) {
    match message {
        AdapterMessage::Beat(_) => {
            turn.beat();
            tell_responses(turn);
        }
        // Once: there are many ports to listen on.
        AdapterMessage::Elsewhere { port } if turn.life.minds_elsewhere(*port) && !turn.life.warned => {
            turn.life.warned = true;
            turn.note(turn.life.wrong_port(*port));
        }
        AdapterMessage::Hello { .. } => turn.let_accept(),
        AdapterMessage::Listening { .. }
        | AdapterMessage::Elsewhere { .. }
        | AdapterMessage::Probe
        | AdapterMessage::Ready
        | AdapterMessage::Stopped
        | AdapterMessage::Traceable
        | AdapterMessage::Stack { .. }
        | AdapterMessage::Traced
        | AdapterMessage::Drained { .. } => {}
    }
}

/// `STATUS=` with what was answered, when that is news.
fn tell_responses(turn: &mut Turn<'_>) {
    let counted = turn.life.peers.responses();
    if turn.life.report.takes(counted, turn.now) {
        turn.tell(ShimState::Ready);
    }
}
