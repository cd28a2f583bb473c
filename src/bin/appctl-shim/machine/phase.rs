//! Where in its life an instance is, with the timers of each phase. Pure.

use super::event::{Exit, Millis, PeerId};

/// Kept back from the drain for the app's own signal handler, at most.
const LONGEST_GRACE: Millis = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Waiting(Waiting),
    Starting(Starting),
    Ready,
    Blocked(Blocked),
    Stopping(Stopping),
    Done,
}

/// When the start is due, and when to say again how long that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) until: Millis,
    pub(super) retell: Millis,
}

impl Waiting {
    pub(super) fn deadline(self) -> Millis {
        self.until.min(self.retell)
    }
}

/// The timers of a start; `Millis::MAX` is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Starting {
    pub(super) since: Millis,
    pub(super) deadline: Millis,
    /// What the app asks for moves the deadline no further.
    pub(super) latest: Millis,
    /// Being alive then is the proof.
    pub(super) alive_at: Millis,
    pub(super) probe_at: Millis,
    pub(super) wrong_port: Option<(u16, Millis)>,
}

impl Starting {
    pub(super) fn deadline(self) -> Millis {
        let wrong_port = self.wrong_port.map_or(Millis::MAX, |(_, at)| at);
        self.deadline.min(self.alive_at).min(self.probe_at).min(wrong_port)
    }
}

/// The block under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocked {
    pub(super) peer: PeerId,
    /// The last sign of life.
    pub(super) since: Millis,
    pub(super) until: Millis,
    /// Lines of the stack so far.
    pub(super) lines: u8,
    pub(super) killed: bool,
}

impl Blocked {
    pub(super) fn deadline(self) -> Millis {
        self.until
    }
}

/// The stop under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopping {
    pub(super) stage: Stage,
    /// The code the shim ends with, when it is a readiness failure and no stop was asked for.
    pub(super) failure: Option<i32>,
    /// When adapters are to cut what is left.
    pub(super) cut_at: Millis,
    pub(super) kill_at: Millis,
    /// How the main process ended, while others of its group are left.
    pub(super) exit: Option<Exit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The app was starting and may have begun to accept; without a word of its adapter it is signalled then.
    Hearing(Millis),
    /// Requests are finished; the app's own signal follows, then at the latest.
    Draining(Millis),
    /// The app was told by a message; its own signal follows then.
    Told(Millis),
    Signalled,
    /// `SIGKILL` is on its way, given up then.
    Killed(Millis),
}

impl Stopping {
    pub(super) fn new(budget: Millis, failure: Option<i32>, now: Millis) -> Self {
        let end = now.saturating_add(budget);
        let grace = LONGEST_GRACE.min(budget / 4);
        let this = Self {
            stage: Stage::Signalled,
            failure,
            cut_at: end - grace,
            kill_at: end,
            exit: None,
        };
        this.draining()
    }

    pub(super) fn draining(self) -> Self {
        self.at(Stage::Draining(self.drained_at()))
    }

    pub(super) fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    pub(super) fn deadline(self) -> Millis {
        match self.stage {
            Stage::Hearing(until) | Stage::Draining(until) | Stage::Told(until) | Stage::Killed(until) => until,
            Stage::Signalled => self.kill_at,
        }
    }

    /// When the drain ends: a little after the adapters' deadline, so that their last word arrives.
    fn drained_at(self) -> Millis {
        self.cut_at + (self.kill_at - self.cut_at) / 2
    }
}
