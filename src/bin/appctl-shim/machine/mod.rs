//! The life of one instance, as a pure state machine: `step(event, now)` gives the next state and what to do.
//! It knows no fd, no process and no clock; `inputs.rs` makes the events and `effects.rs` performs the actions.
//!
//! ```text
//!   Waiting ──────> Starting ──────> Ready
//!      │               │  │            │ │
//!      │               │  └──────┬─────┘ │
//!      v               v         v       v
//!    Done <────────────┴──── Stopping   Done
//! ```
//!
//! - **Waiting**: the app crashed before and its next start is not due; without crashes this passes at once. systemd is
//!   asked for patience, a stop ends it without the app ever being started.
//! - **Starting**: the app runs, its [`Proof`] is missing. The proof leads to Ready and to the only `READY=1`. The
//!   deadline, or a port that our sockets do not hold, leads to Stopping *as a failure*. The app's end is a crash.
//! - **Ready**: the app serves. Its end, with whatever status, is a crash: it was not asked for.
//! - **Blocked**: a ready app's event loop has stood still for too long. Its stack is asked for, then it is killed; a beat
//!   meanwhile leads back to Ready. Neither a start nor a stop ever comes here.
//! - **Stopping**: `STOPPING=1` (if systemd asked), then its stages, each with its deadline: *draining*, while an
//!   adapter that listened has requests to finish; *told*, after a message where the app wants one; *signalled*, after
//!   the app's own stop signal; *killed*, after `SIGKILL`. The main process may end first: what is left of its group
//!   then gets the same signal and the same time.
//!   A readiness failure drains too (what was accepted is answered), in a shorter time.
//! - **Done**: nothing more happens. The shim ends the way the app did.
//!
//! A stop request works in every phase at once. Every phase answers every event.
//!
//! Each phase is a module whose `step` works on one [`turn::Turn`] and gives the next phase. What a module uses stands
//! before it in this list: `event`, `rules`, `peers`, `report`, `phase`, `life`, `turn`, `stopping`, `blocked`, `starting`,
//! `ready`, `waiting` (`tests/architecture.rs`).

// A new event, message, action or stage does not compile until each phase says what it means there.
#![warn(clippy::wildcard_enum_match_arm)]

mod blocked;
mod event;
mod life;
mod peers;
mod phase;
mod ready;
mod report;
mod rules;
mod starting;
mod stopping;
#[cfg(test)]
mod tests;
mod turn;
mod waiting;

pub(crate) use event::{Action, Event, Exit, Level, Millis, Notified, PeerId};
use life::Life;
use phase::Phase;
pub(crate) use rules::{Proof, Rules};
use turn::Turn;

use crate::backoff::Record;

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    life: Life,
    phase: Phase,
}

impl Machine {
    /// A life begins; `record` is what the shim before left, if there was one.
    pub(crate) fn begin(rules: Rules, record: Record, now: Millis) -> (Self, Vec<Action>) {
        let record = rules.backoff.woken(record, now);
        let mut life = Life::new(rules, record);
        let mut turn = Turn::new(&mut life, now);
        let phase = waiting::begin(&mut turn);
        let actions = turn.end();
        (Self { life, phase }, actions)
    }

    /// One event, one answer.
    pub(crate) fn step(mut self, event: Event, now: Millis) -> (Self, Vec<Action>) {
        self.life.peers.note(&event, now);
        let mut turn = Turn::new(&mut self.life, now);
        self.phase = match self.phase {
            Phase::Waiting(waiting) => waiting::step(&mut turn, waiting, &event),
            Phase::Starting(starting) => starting::step(&mut turn, starting, event),
            Phase::Ready => ready::step(&mut turn, event),
            Phase::Blocked(blocked) => blocked::step(&mut turn, blocked, event),
            Phase::Stopping(stopping) => stopping::step(&mut turn, stopping, event),
            Phase::Done => Phase::Done,
        };
        let actions = turn.end();
        (self, actions)
    }

    /// When [`Event::Tick`] is due. `None`: time means nothing now.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        match self.phase {
            Phase::Waiting(waiting) => Some(waiting.deadline()),
            Phase::Starting(starting) => Some(starting.deadline()),
            Phase::Stopping(stopping) => Some(stopping.deadline()),
            Phase::Blocked(blocked) => Some(blocked.deadline()),
            Phase::Ready => blocked::look_at(&self.life),
            Phase::Done => None,
        }
    }
}
