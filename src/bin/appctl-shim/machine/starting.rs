//! Starting: the app runs and its proof is missing. The deadline means failure, never success. Pure.

use appctl::contract::ShimState;
use appctl::contract::exit_status::{NOT_NOW, WRONG_CONFIG};
use appctl::contract::times::{GRACE_MS, LONGEST_START};

use super::event::{Action, AdapterMessage, Event, Exit, Millis, Note, Notified, Span};
use super::phase::{Phase, Starting};
use super::rules::Proof;
use super::stopping;
use super::turn::Turn;
use crate::backoff::Record;

/// How long an app that listens on a wrong port may still listen on a right one.
const WRONG_PORT_PATIENCE: Millis = 2_000;
const PROBE_INTERVAL: Millis = 100;
/// An answer that takes longer is not waited for; the next attempt may be luckier.
const PROBE_PATIENCE: Millis = 10_000;

pub(super) fn spawn(turn: &mut Turn<'_>) -> Phase {
    turn.act(Action::Spawn);
    let alive_at = match turn.life.rules.proof {
        Proof::Started(after) => turn.after(after),
        Proof::Notify | Proof::Listening | Proof::Http | Proof::Message => Millis::MAX,
    };
    let span = turn.life.rules.ready_timeout;
    Phase::Starting(Starting {
        since: turn.now,
        deadline: turn.after(span),
        latest: turn.after(span.saturating_mul(LONGEST_START.into())),
        alive_at,
        probe_at: Millis::MAX,
        wrong_port: None,
    })
}

pub(super) fn step(turn: &mut Turn<'_>, starting: Starting, event: Event) -> Phase {
    let proof = turn.life.rules.proof;
    let stay = Phase::Starting(starting);
    match event {
        Event::Tick => return tick(turn, starting),
        Event::Terminate => return stopping::asked_early(turn),
        Event::Refused { code, reason } => return turn.crashed(Exit::Code(code), reason),
        Event::AppExited { exit, .. } => {
            let lived = Span(turn.since(starting.since));
            let reason = format!("{exit} before it was ready, {lived} after its start");
            return turn.crashed(exit, reason);
        }
        Event::Adapter(_, message) => return heard(turn, starting, &message),
        Event::Notified(notified) => return self::notified(turn, starting, notified),
        Event::Message if proof == Proof::Message => return proven(turn, starting),
        Event::Probed(Ok(())) if proof == Proof::Http => return proven(turn, starting),
        Event::Probed(Err(answer)) => {
            turn.life.remark = Some(answer);
            let probe_at = turn.after(PROBE_INTERVAL);
            return Phase::Starting(Starting { probe_at, ..starting });
        }
        Event::Forward(signal) => turn.act(Action::Forward(signal)),
        Event::Spawned { pid, release } => spawned(turn, pid, release),
        Event::GroupGone | Event::Closed(_) | Event::Message | Event::Unheard | Event::Probed(Ok(())) => {}
    }
    stay
}

fn tick(turn: &mut Turn<'_>, starting: Starting) -> Phase {
    let now = turn.now;
    if starting.alive_at <= now {
        return proven(turn, starting);
    }
    if let Some((port, at)) = starting.wrong_port
        && at <= now
    {
        let note = turn.life.wrong_port(port);
        return stopping::failed(turn, WRONG_CONFIG.into(), note);
    }
    if starting.deadline <= now {
        let reason = not_ready(turn, starting);
        return stopping::failed(turn, NOT_NOW.into(), Note::NotReady { reason });
    }
    if starting.probe_at <= now {
        turn.act(Action::Probe);
        let probe_at = turn.after(PROBE_PATIENCE);
        return Phase::Starting(Starting { probe_at, ..starting });
    }
    Phase::Starting(starting)
}

fn heard(turn: &mut Turn<'_>, starting: Starting, message: &AdapterMessage) -> Phase {
    let proof = turn.life.rules.proof;
    let mut next = starting;
    match message {
        AdapterMessage::Listening { .. } if proof == Proof::Listening => return proven(turn, starting),
        AdapterMessage::Ready if proof == Proof::Message => return proven(turn, starting),
        AdapterMessage::Listening { .. } => {
            if turn.life.elsewhere.take().is_some() {
                turn.tell(ShimState::Starting);
            }
            next.wrong_port = None;
        }
        AdapterMessage::Elsewhere { port } if turn.life.minds_elsewhere(*port) && starting.wrong_port.is_none() => {
            turn.life.elsewhere = Some(*port);
            turn.tell(ShimState::Starting);
            next.wrong_port = Some((*port, turn.after(WRONG_PORT_PATIENCE)));
        }
        AdapterMessage::Probe if proof == Proof::Http && starting.probe_at == Millis::MAX => next.probe_at = turn.now,
        AdapterMessage::Beat(_) => turn.beat(),
        AdapterMessage::Hello { .. }
        | AdapterMessage::Elsewhere { .. }
        | AdapterMessage::Probe
        | AdapterMessage::Ready
        | AdapterMessage::Stopped
        | AdapterMessage::Drained { .. }
        | AdapterMessage::Traceable
        | AdapterMessage::Stack { .. }
        | AdapterMessage::Traced => {}
    }
    Phase::Starting(next)
}

fn notified(turn: &mut Turn<'_>, starting: Starting, notified: Notified) -> Phase {
    match notified {
        Notified::Ready if turn.life.rules.proof == Proof::Notify => return proven(turn, starting),
        Notified::Status(words) => turn.quote(ShimState::Starting, words),
        Notified::Extend(longer) => {
            let asked = turn.after(longer).min(starting.latest);
            turn.act(Action::Extend(asked.saturating_sub(turn.now).saturating_add(GRACE_MS)));
            let deadline = starting.deadline.max(asked);
            return Phase::Starting(Starting { deadline, ..starting });
        }
        Notified::Ready | Notified::Watchdog => {}
    }
    Phase::Starting(starting)
}

fn spawned(turn: &mut Turn<'_>, pid: u32, release: Option<String>) {
    (turn.life.pid, turn.life.release) = (Some(pid), release);
    turn.life.record = Record {
        running: true,
        ready_at: None,
        ..turn.life.record.clone()
    };
    turn.remember();
    turn.tell(ShimState::Starting);
}

fn proven(turn: &mut Turn<'_>, starting: Starting) -> Phase {
    let (now, life) = (turn.now, &mut *turn.life);
    if life.rules.proof == Proof::Http {
        life.remark = None;
    }
    (life.elsewhere, life.record.elsewhere) = (None, None);
    life.peers.begin(now);
    life.record.ready_at = Some(now.max(1));
    turn.act(Action::Ready(turn.life.status(ShimState::Ready)));
    turn.let_accept();
    turn.remember();
    let after = turn.since(starting.since);
    turn.note(Note::Ready { after });
    Phase::Ready
}

fn not_ready(turn: &Turn<'_>, starting: Starting) -> String {
    let waited = Span(starting.deadline.saturating_sub(starting.since));
    let missing = match turn.life.rules.proof {
        Proof::Notify => "it sent no READY=1",
        Proof::Listening => "it listens on none of its sockets",
        Proof::Http if starting.probe_at == Millis::MAX => "it listens on no address that can be probed",
        Proof::Http => turn.life.remark.as_deref().unwrap_or("its probe got no answer"),
        Proof::Message => "it sent no \"ready\" message",
        Proof::Started(_) => "the deadline comes before the time it must stay alive",
    };
    format!("not ready after {waited}: {missing}")
}
