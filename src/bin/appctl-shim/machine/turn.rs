//! One turn of the machine: an event at a moment, what is known of the instance, and what is done about it. Pure.

use appctl::contract::ShimState;

use super::event::{Action, Exit, Millis, Note};
use super::life::Life;
use super::phase::Phase;

pub(super) struct Turn<'a> {
    pub(super) life: &'a mut Life,
    pub(super) now: Millis,
    actions: Vec<Action>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(life: &'a mut Life, now: Millis) -> Self {
        let actions = Vec::new();
        Self { life, now, actions }
    }

    /// All that was done, in order.
    pub(super) fn end(self) -> Vec<Action> {
        self.actions
    }

    pub(super) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(super) fn note(&mut self, note: Note) {
        self.act(Action::Note(note));
    }

    /// This long after now.
    pub(super) fn after(&self, span: Millis) -> Millis {
        self.now.saturating_add(span)
    }

    /// This long before now.
    pub(super) fn since(&self, before: Millis) -> Millis {
        self.now.saturating_sub(before)
    }

    /// `STATUS=`.
    pub(super) fn tell(&mut self, state: ShimState) {
        self.act(Action::Status(self.life.status(state)));
    }

    /// `STATUS=` with a remark.
    pub(super) fn say(&mut self, state: ShimState, remark: String) {
        self.life.remark = Some(remark);
        self.tell(state);
    }

    /// `STATUS=` with the app's own words.
    pub(super) fn quote(&mut self, state: ShimState, words: String) {
        self.life.words = Some(words);
        self.tell(state);
    }

    /// Leaves the record to the next shim.
    pub(super) fn remember(&mut self) {
        self.act(Action::Remember(self.life.record.clone()));
    }

    /// `WATCHDOG=1` after a heartbeat, once every event loop that counts has shown life.
    pub(super) fn beat(&mut self) {
        if self.life.rules.watchdog && self.life.peers.all_beat() {
            self.act(Action::Watchdog);
        }
    }

    /// Where the app had to hold back. Also for a process of the app that comes to be later.
    pub(super) fn let_accept(&mut self) {
        if self.life.rules.proof.holds() {
            self.act(Action::Accept);
        }
    }

    /// The end of an app that was not asked to end.
    pub(super) fn crashed(&mut self, exit: Exit, reason: String) -> Phase {
        self.life.count_crash(exit.signal(), &reason, self.now);
        self.remember();
        self.note(Note::Crashed {
            crashes: self.life.record.crashes,
            reason: reason.clone(),
        });
        self.say(ShimState::Failed, reason);
        self.act(Action::Finish(exit));
        Phase::Done
    }
}
