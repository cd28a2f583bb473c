//! Stopping: drain, signal, kill, each in its time. Pure.

use appctl::contract::ShimState;
use appctl::contract::times::{FAILED_MS, REAP_MS};

use super::event::{Action, AdapterMessage, Event, Exit, Millis, Note, Notified, PeerId};
use super::phase::{Phase, Stage, Stopping};
use super::turn::Turn;
use crate::backoff::Record;

/// An app accepts once its adapter's word is with the kernel: this long is listened for it when the app was starting.
const HEARING: Millis = 300;

/// systemd asked.
pub(super) fn asked(turn: &mut Turn<'_>) -> Phase {
    let stopping = begin(turn);
    stop(turn, stopping)
}

/// systemd asked while the app was starting.
pub(super) fn asked_early(turn: &mut Turn<'_>) -> Phase {
    let stopping = begin(turn);
    let life = &turn.life;
    let silent = life.rules.proof.accepts_unheard() && !life.rules.held.is_empty() && !life.peers.listening();
    let hearing = Stage::Hearing(turn.after(HEARING).min(stopping.cut_at));
    stop(turn, if silent { stopping.at(hearing) } else { stopping })
}

fn begin(turn: &mut Turn<'_>) -> Stopping {
    turn.act(Action::Stopping(turn.life.status(ShimState::Draining)));
    Stopping::new(turn.life.rules.stop_timeout, None, turn.now)
}

/// The app did not become ready: it is stopped, and the shim fails with `code`.
pub(super) fn failed(turn: &mut Turn<'_>, code: i32, note: Note) -> Phase {
    let reason = note.to_string();
    turn.note(note);
    turn.say(ShimState::Failed, reason);
    let budget = turn.life.rules.stop_timeout.min(FAILED_MS);
    stop(turn, Stopping::new(budget, Some(code), turn.now))
}

fn stop(turn: &mut Turn<'_>, stopping: Stopping) -> Phase {
    let peers: Vec<PeerId> = turn.life.peers.ids().collect();
    for peer in peers {
        tell_stop(turn, stopping, peer);
    }
    go_on(turn, stopping)
}

fn tell_stop(turn: &mut Turn<'_>, stopping: Stopping, peer: PeerId) {
    let timeout = stopping.cut_at.saturating_sub(turn.now);
    let linger = turn.life.rules.linger.min(timeout);
    turn.act(Action::TellStop { peer, linger, timeout });
}

pub(super) fn step(turn: &mut Turn<'_>, stopping: Stopping, event: Event) -> Phase {
    match event {
        Event::Tick if stopping.deadline() <= turn.now => return overdue(turn, stopping),
        Event::Terminate if stopping.failure.is_some() => {
            turn.act(Action::Stopping(turn.life.status(ShimState::Draining)));
            let failure = None;
            return Phase::Stopping(Stopping { failure, ..stopping });
        }
        Event::Spawned { pid, .. } => {
            turn.life.pid = Some(pid);
            return repeat(turn, stopping);
        }
        Event::Refused { code, reason } => return turn.crashed(Exit::Code(code), reason),
        Event::AppExited { exit, leftovers: false } => return finish(turn, stopping, exit),
        Event::AppExited { exit, leftovers: true } => return left_behind(turn, stopping, exit),
        Event::GroupGone => {
            if let Some(exit) = stopping.exit {
                return finish(turn, stopping, exit);
            }
        }
        Event::Adapter(peer, message) => return heard(turn, stopping, peer, &message),
        Event::Closed(_) => return go_on(turn, stopping),
        Event::Unheard if matches!(stopping.stage, Stage::Told(_)) => return signal(turn, stopping),
        Event::Notified(Notified::Status(words)) if stopping.failure.is_none() => {
            turn.quote(ShimState::Draining, words);
        }
        Event::Tick
        | Event::Terminate
        | Event::Forward(_)
        | Event::Notified(Notified::Status(_) | Notified::Ready | Notified::Extend(_) | Notified::Watchdog)
        | Event::Message
        | Event::Unheard
        | Event::Probed(_) => {}
    }
    Phase::Stopping(stopping)
}

fn heard(turn: &mut Turn<'_>, stopping: Stopping, peer: PeerId, message: &AdapterMessage) -> Phase {
    match message {
        AdapterMessage::Hello { .. } => {
            tell_stop(turn, stopping, peer);
            Phase::Stopping(stopping)
        }
        AdapterMessage::Listening { .. } if matches!(stopping.stage, Stage::Hearing(_)) => {
            tell_stop(turn, stopping, peer);
            go_on(turn, stopping.draining())
        }
        AdapterMessage::Listening { .. }
        | AdapterMessage::Drained { .. }
        | AdapterMessage::Elsewhere { .. }
        | AdapterMessage::Probe
        | AdapterMessage::Ready
        | AdapterMessage::Beat(_)
        | AdapterMessage::Stopped
        | AdapterMessage::Traceable
        | AdapterMessage::Stack { .. }
        | AdapterMessage::Traced => go_on(turn, stopping),
    }
}

/// The main process is gone and others of its group are not.
fn left_behind(turn: &mut Turn<'_>, stopping: Stopping, exit: Exit) -> Phase {
    turn.life.pid = None;
    let exit = Some(exit);
    repeat(turn, Stopping { exit, ..stopping })
}

/// From draining to the end of the app, as soon as nothing is left to drain.
fn go_on(turn: &mut Turn<'_>, stopping: Stopping) -> Phase {
    match stopping.stage {
        Stage::Draining(_) if turn.life.peers.drained() => tell(turn, stopping),
        Stage::Hearing(_) | Stage::Draining(_) | Stage::Told(_) | Stage::Signalled | Stage::Killed(_) => {
            Phase::Stopping(stopping)
        }
    }
}

/// By a message first, where the app wants one: half of the time that is left is for that.
fn tell(turn: &mut Turn<'_>, stopping: Stopping) -> Phase {
    if !turn.life.rules.stop_message {
        return signal(turn, stopping);
    }
    turn.act(Action::MessageApp);
    let half = stopping.kill_at.saturating_sub(turn.now) / 2;
    Phase::Stopping(stopping.at(Stage::Told(turn.now + half)))
}

fn signal(turn: &mut Turn<'_>, stopping: Stopping) -> Phase {
    turn.act(Action::StopApp);
    Phase::Stopping(stopping.at(Stage::Signalled))
}

/// What was sent before goes out again: to a process that came late, or to those the main process left behind, who have
/// no channel for a message.
fn repeat(turn: &mut Turn<'_>, stopping: Stopping) -> Phase {
    match stopping.stage {
        Stage::Hearing(_) | Stage::Draining(_) => return go_on(turn, stopping),
        Stage::Told(_) => return signal(turn, stopping),
        Stage::Signalled => turn.act(Action::StopApp),
        Stage::Killed(_) => turn.act(Action::KillApp),
    }
    Phase::Stopping(stopping)
}

fn overdue(turn: &mut Turn<'_>, stopping: Stopping) -> Phase {
    match stopping.stage {
        Stage::Hearing(_) => go_on(turn, stopping.draining()),
        Stage::Told(_) => signal(turn, stopping),
        Stage::Draining(_) => {
            let in_flight = turn.life.peers.in_flight();
            turn.note(Note::DrainDeadline { in_flight });
            tell(turn, stopping)
        }
        Stage::Signalled => {
            turn.note(Note::StopDeadline);
            turn.act(Action::KillApp);
            Phase::Stopping(stopping.at(Stage::Killed(turn.after(REAP_MS))))
        }
        Stage::Killed(_) => {
            let exit = stopping.exit.unwrap_or(Exit::Signal(nix::libc::SIGKILL));
            finish(turn, stopping, exit)
        }
    }
}

/// A rollout reads this in the journal: the unit's own words are gone by then.
fn note_drained(turn: &mut Turn<'_>) {
    let (served, cut) = (turn.life.peers.served(), turn.life.peers.cut());
    if served > 0 {
        turn.note(Note::WaitedFor { requests: served });
    }
    if cut > 0 {
        turn.note(Note::Cut { requests: cut });
    }
}

fn finish(turn: &mut Turn<'_>, stopping: Stopping, exit: Exit) -> Phase {
    note_drained(turn);
    if let Some(code) = stopping.failure {
        let reason = turn.life.remark.clone().unwrap_or_default();
        turn.life.count_crash(None, &reason, turn.now);
        turn.remember();
        turn.tell(ShimState::Failed);
        turn.act(Action::Finish(Exit::Code(code)));
    } else {
        turn.life.record = Record::default();
        turn.remember();
        turn.act(Action::Finish(exit));
    }
    Phase::Done
}
