//! Blocked: a ready app whose event loop stands still. Its stack is asked for, then it is killed. Pure.

use appctl::contract::times::REAP_MS;
use appctl::observe::ShimState;

use super::watch::Still;
use super::{Action, Event, Exit, Machine, Millis, Note, Notified, PeerId, Phase, Said, Span};

/// A stack that is not there after this long will not come: the loop is not in JavaScript.
const STACK_PATIENCE: Millis = 2_000;
/// More lines of a stack than this are not logged.
const MOST_LINES: u8 = 40;

/// The block under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocked {
    peer: PeerId,
    /// The last sign of life.
    since: Millis,
    until: Millis,
    /// Lines of the stack so far.
    lines: u8,
    killed: bool,
}

impl Blocked {
    pub(super) fn deadline(self) -> Millis {
        self.until
    }
}

impl Machine {
    /// When a ready instance has to be looked at.
    pub(super) fn look_at(&self) -> Option<Millis> {
        let still = self.watch.stillest(self.rules.ready_timeout)?;
        Some(still.excused.saturating_add(self.rules.blocked_after?))
    }

    /// Whether an event loop is blocked. Who looks much later than planned was not running either (the machine slept,
    /// the unit was frozen, there was no processor to be had), and judges nobody by that time.
    pub(super) fn look(&mut self, now: Millis, out: &mut Vec<Action>) -> Phase {
        let (Some(due), Some(still)) = (self.look_at(), self.watch.stillest(self.rules.ready_timeout)) else {
            return Phase::Ready;
        };
        let tolerance = 1_000 + self.rules.blocked_after.unwrap_or(0) / 4;
        if now > due.saturating_add(tolerance) {
            self.watch.begin(now);
        }
        if now < due || now > due.saturating_add(tolerance) {
            return Phase::Ready;
        }
        Self::suspect(still, now, out)
    }

    fn suspect(still: Still, now: Millis, out: &mut Vec<Action>) -> Phase {
        let span = now - still.since;
        out.push(Action::Note(Note::Blocked { span }));
        let blocked = Blocked {
            peer: still.id,
            since: still.since,
            until: now.saturating_add(STACK_PATIENCE),
            lines: 0,
            killed: false,
        };
        if still.traceable {
            out.push(Action::Trace(still.id));
            return Phase::Blocked(blocked);
        }
        Self::shoot_silent(blocked, now, out)
    }

    pub(super) fn blocked(&mut self, blocked: Blocked, event: Event, now: Millis, out: &mut Vec<Action>) -> Phase {
        let ours = |peer| peer == blocked.peer && !blocked.killed;
        match event {
            Event::Tick if blocked.until <= now && blocked.killed => return self.unreaped(blocked, now, out),
            Event::Tick if blocked.until <= now => return Self::shoot_silent(blocked, now, out),
            Event::Terminate => return self.stop_asked(now, out),
            Event::AppExited { exit, .. } => return self.ended_blocked(blocked, exit, now, out),
            Event::Said(peer, said) if ours(peer) => return self.heard_blocked(blocked, said, now, out),
            Event::Said(_, Said::Hello) => self.let_accept(out),
            Event::Closed(peer) if ours(peer) => return Phase::Ready,
            Event::Forward(signal) => out.push(Action::Forward(signal)),
            Event::Notified(Notified::Status(words)) => self.quote(ShimState::Ready, words, out),
            Event::Tick
            | Event::Spawned { .. }
            | Event::Refused { .. }
            | Event::GroupGone
            | Event::Said(..)
            | Event::Closed(_)
            | Event::Notified(_)
            | Event::Message
            | Event::Unheard
            | Event::Probed(_) => {}
        }
        Phase::Blocked(blocked)
    }

    fn heard_blocked(&mut self, blocked: Blocked, said: Said, now: Millis, out: &mut Vec<Action>) -> Phase {
        match said {
            Said::Stack(line) if blocked.lines < MOST_LINES => {
                out.push(Action::Note(Note::Stack { line }));
                let lines = blocked.lines + 1;
                Phase::Blocked(Blocked { lines, ..blocked })
            }
            Said::Traced => Self::shoot(blocked, now, out),
            Said::Beat { .. } => {
                self.beat(out);
                let span = now.saturating_sub(blocked.since);
                out.push(Action::Note(Note::TurnsAgain { span }));
                Phase::Ready
            }
            _ => Phase::Blocked(blocked),
        }
    }

    fn shoot_silent(blocked: Blocked, now: Millis, out: &mut Vec<Action>) -> Phase {
        let line = "no stack: it is not in JavaScript, or SIGUSR1 is the app's own".to_owned();
        out.push(Action::Note(Note::Stack { line }));
        Self::shoot(blocked, now, out)
    }

    fn shoot(blocked: Blocked, now: Millis, out: &mut Vec<Action>) -> Phase {
        out.push(Action::KillApp);
        Phase::Blocked(Blocked {
            until: now.saturating_add(REAP_MS),
            killed: true,
            ..blocked
        })
    }

    fn ended_blocked(&mut self, blocked: Blocked, exit: Exit, now: Millis, out: &mut Vec<Action>) -> Phase {
        let span = Span(now.saturating_sub(blocked.since));
        let reason = if blocked.killed {
            format!("killed: its event loop was blocked for {span}")
        } else {
            format!("{exit}, its event loop blocked for {span}")
        };
        self.crashed(exit, reason, now, out)
    }

    fn unreaped(&mut self, blocked: Blocked, now: Millis, out: &mut Vec<Action>) -> Phase {
        self.ended_blocked(blocked, Exit::Signal(nix::libc::SIGKILL), now, out)
    }
}
