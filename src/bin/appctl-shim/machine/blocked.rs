//! Blocked: a ready app whose event loop stands still. Its stack is asked for, then it is killed. Pure.

use appctl::contract::ShimState;
use appctl::contract::times::REAP_MS;

use super::event::{Action, AdapterMessage, Event, Exit, Millis, Note, Notified, PeerId, Span};
use super::life::Life;
use super::peers::Still;
use super::phase::{Blocked, Phase};
use super::stopping;
use super::turn::Turn;

/// A stack that is not there after this long will not come: the loop is not in JavaScript.
const STACK_PATIENCE: Millis = 2_000;
/// More lines of a stack than this are not logged.
const MOST_LINES: u8 = 40;

/// When a ready instance has to be looked at.
pub(super) fn look_at(life: &Life) -> Option<Millis> {
    let still = life.peers.stillest(life.rules.ready_timeout)?;
    Some(still.excused.saturating_add(life.rules.blocked_after?))
}

/// Whether an event loop is blocked. A shim that looks much later than planned was not running either (the machine slept,
/// the unit was frozen, there was no processor to be had): that time is held against no app.
pub(super) fn look(turn: &mut Turn<'_>) -> Phase {
    let life = &*turn.life;
    let (Some(due), Some(still)) = (look_at(life), life.peers.stillest(life.rules.ready_timeout)) else {
        return Phase::Ready;
    };
    let tolerance = 1_000 + life.rules.blocked_after.unwrap_or(0) / 4;
    let late = turn.now > due.saturating_add(tolerance);
    if late {
        turn.life.peers.begin(turn.now);
    }
    if late || turn.now < due {
        return Phase::Ready;
    }
    suspect(turn, still)
}

fn suspect(turn: &mut Turn<'_>, still: Still) -> Phase {
    let span = turn.now - still.since;
    turn.note(Note::Blocked { span });
    let blocked = Blocked {
        peer: still.id,
        since: still.since,
        until: turn.after(STACK_PATIENCE),
        lines: 0,
        killed: false,
    };
    if still.traceable {
        turn.act(Action::Trace(still.id));
        return Phase::Blocked(blocked);
    }
    shoot_silent(turn, blocked)
}

pub(super) fn step(turn: &mut Turn<'_>, blocked: Blocked, event: Event) -> Phase {
    match event {
        Event::Tick if blocked.until <= turn.now && blocked.killed => return unreaped(turn, blocked),
        Event::Tick if blocked.until <= turn.now => return shoot_silent(turn, blocked),
        Event::Terminate => return stopping::asked(turn),
        Event::AppExited { exit, .. } => return ended(turn, blocked, exit),
        Event::Adapter(peer, message) => return heard(turn, blocked, peer, message),
        Event::Closed(peer) if counts(blocked, peer) => return Phase::Ready,
        Event::Forward(signal) => turn.act(Action::Forward(signal)),
        Event::Notified(Notified::Status(words)) => turn.quote(ShimState::Ready, words),
        Event::Tick
        | Event::Spawned { .. }
        | Event::Refused { .. }
        | Event::GroupGone
        | Event::Closed(_)
        | Event::Notified(Notified::Ready | Notified::Extend(_) | Notified::Watchdog)
        | Event::Message
        | Event::Unheard
        | Event::Probed(_) => {}
    }
    Phase::Blocked(blocked)
}

/// Whether it is the adapter that is judged, and still can change that.
fn counts(blocked: Blocked, peer: PeerId) -> bool {
    peer == blocked.peer && !blocked.killed
}

fn heard(turn: &mut Turn<'_>, blocked: Blocked, peer: PeerId, message: AdapterMessage) -> Phase {
    let judged = counts(blocked, peer);
    match message {
        AdapterMessage::Stack { line } if judged && blocked.lines < MOST_LINES => {
            turn.note(Note::Stack { line });
            let lines = blocked.lines + 1;
            return Phase::Blocked(Blocked { lines, ..blocked });
        }
        AdapterMessage::Traced if judged => return shoot(turn, blocked),
        AdapterMessage::Beat(_) if judged => {
            turn.beat();
            let span = turn.since(blocked.since);
            turn.note(Note::TurnsAgain { span });
            return Phase::Ready;
        }
        AdapterMessage::Hello { .. } => turn.let_accept(),
        AdapterMessage::Listening { .. }
        | AdapterMessage::Elsewhere { .. }
        | AdapterMessage::Probe
        | AdapterMessage::Ready
        | AdapterMessage::Beat(_)
        | AdapterMessage::Stopped
        | AdapterMessage::Drained { .. }
        | AdapterMessage::Traceable
        | AdapterMessage::Stack { .. }
        | AdapterMessage::Traced => {}
    }
    Phase::Blocked(blocked)
}

fn shoot_silent(turn: &mut Turn<'_>, blocked: Blocked) -> Phase {
    let line = "no stack: the app is not running JavaScript, or handles SIGUSR1 itself".to_owned();
    turn.note(Note::Stack { line });
    shoot(turn, blocked)
}

fn shoot(turn: &mut Turn<'_>, blocked: Blocked) -> Phase {
    turn.act(Action::KillApp);
    Phase::Blocked(Blocked {
        until: turn.after(REAP_MS),
        killed: true,
        ..blocked
    })
}

fn ended(turn: &mut Turn<'_>, blocked: Blocked, exit: Exit) -> Phase {
    let span = Span(turn.since(blocked.since));
    let reason = if blocked.killed {
        format!("killed: its event loop was blocked for {span}")
    } else {
        format!("{exit} while its event loop was blocked for {span}")
    };
    turn.crashed(exit, reason)
}

fn unreaped(turn: &mut Turn<'_>, blocked: Blocked) -> Phase {
    ended(turn, blocked, Exit::Signal(nix::libc::SIGKILL))
}
