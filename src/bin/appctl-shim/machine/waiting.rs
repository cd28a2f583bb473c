//! Waiting: the next start is not due. Pure.

use appctl::contract::times::GRACE_MS;
use appctl::observe::ShimState;

use super::{Action, Event, Exit, Machine, Millis, Note, Phase, Span};
use crate::backoff::Record;

/// How often the remaining time is told again.
const RETELL: Millis = 5_000;

/// When the start is due, and when to say again how long that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    until: Millis,
    retell: Millis,
}

impl Waiting {
    pub(super) fn new(now: Millis, wait: Millis) -> Self {
        Self {
            until: now.saturating_add(wait),
            retell: now.saturating_add(RETELL),
        }
    }

    pub(super) fn deadline(self) -> Millis {
        self.until.min(self.retell)
    }
}

impl Machine {
    /// Starts at once, or says how long it will be.
    pub(super) fn arrive(&mut self, waiting: Waiting, now: Millis, out: &mut Vec<Action>) -> Phase {
        if waiting.until <= now {
            return self.spawn(now, out);
        }
        let wait = waiting.until - now;
        let patience = wait.saturating_add(self.rules.ready_timeout).saturating_add(GRACE_MS);
        out.push(Action::Extend(patience));
        let crashes = self.record.crashes;
        out.push(Action::Note(Note::BackingOff { crashes, wait }));
        self.tell_wait(wait, out);
        Phase::Waiting(waiting)
    }

    pub(super) fn waiting(&mut self, waiting: Waiting, event: &Event, now: Millis, out: &mut Vec<Action>) -> Phase {
        match event {
            Event::Tick if waiting.until <= now => self.spawn(now, out),
            Event::Tick if waiting.retell <= now => {
                self.tell_wait(waiting.until - now, out);
                Phase::Waiting(Waiting {
                    retell: now.saturating_add(RETELL),
                    ..waiting
                })
            }
            Event::Terminate => self.stop_before_start(out),
            Event::Tick
            | Event::Forward(_)
            | Event::Spawned { .. }
            | Event::Refused { .. }
            | Event::AppExited { .. }
            | Event::GroupGone
            | Event::Said(..)
            | Event::Closed(_)
            | Event::Notified(_)
            | Event::Message
            | Event::Unheard
            | Event::Probed(_) => Phase::Waiting(waiting),
        }
    }

    fn tell_wait(&mut self, wait: Millis, out: &mut Vec<Action>) {
        let remark = format!("{}; next start in {}", self.record.reason, Span(wait));
        self.say(ShimState::BackingOff, remark, out);
        self.remark = None;
    }

    fn stop_before_start(&mut self, out: &mut Vec<Action>) -> Phase {
        self.record = Record::default();
        out.push(Action::Stopping(self.status(ShimState::Draining)));
        out.push(Action::Remember(self.record.clone()));
        out.push(Action::Finish(Exit::Code(0)));
        Phase::Done
    }
}
