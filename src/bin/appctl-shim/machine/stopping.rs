//! Stopping: drain, signal, kill, each in its time. Pure.

use appctl::contract::times::{FAILED_MS, REAP_MS};
use appctl::observe::ShimState;

use super::{Action, Event, Exit, Machine, Millis, Note, Notified, PeerId, Phase, Proof, Said};
use crate::backoff::Record;

/// Kept back from the drain for the app's own signal handler, at most.
const LONGEST_GRACE: Millis = 2_000;
/// An app accepts once its adapter's word is with the kernel: this long is listened for it when the app was starting.
const HEARING: Millis = 300;

/// The stop under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopping {
    stage: Stage,
    /// The code the shim ends with, when it is a readiness failure that nobody asked to stop.
    failure: Option<i32>,
    /// When adapters are to cut what is left.
    cut_at: Millis,
    kill_at: Millis,
    /// How the main process ended, while others of its group are left.
    exit: Option<Exit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The app was starting and may have begun to accept; without a word it is signalled then.
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
    fn new(budget: Millis, failure: Option<i32>, now: Millis) -> Self {
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

    fn draining(self) -> Self {
        let stage = Stage::Draining(self.drained_at());
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

impl Machine {
    /// systemd asked.
    pub(super) fn stop_asked(&mut self, now: Millis, out: &mut Vec<Action>) -> Phase {
        out.push(Action::Stopping(self.status(ShimState::Draining)));
        self.stop(Stopping::new(self.rules.stop_timeout, None, now), now, out)
    }

    /// systemd asked while the app was starting.
    pub(super) fn stop_asked_early(&mut self, now: Millis, out: &mut Vec<Action>) -> Phase {
        out.push(Action::Stopping(self.status(ShimState::Draining)));
        let stopping = Stopping::new(self.rules.stop_timeout, None, now);
        let accepts = matches!(self.rules.proof, Proof::Listening | Proof::Http | Proof::Started(_));
        let silent = accepts && !self.rules.held.is_empty() && !self.peers.listening();
        let hearing = Stage::Hearing(now.saturating_add(HEARING).min(stopping.cut_at));
        let stage = if silent { hearing } else { stopping.stage };
        self.stop(Stopping { stage, ..stopping }, now, out)
    }

    /// The app did not become ready: it is stopped, and the shim fails with `code`.
    pub(super) fn failed(&mut self, code: i32, note: Note, now: Millis, out: &mut Vec<Action>) -> Phase {
        let reason = note.to_string();
        out.push(Action::Note(note));
        self.say(ShimState::Failed, reason, out);
        let budget = self.rules.stop_timeout.min(FAILED_MS);
        self.stop(Stopping::new(budget, Some(code), now), now, out)
    }

    fn stop(&mut self, stopping: Stopping, now: Millis, out: &mut Vec<Action>) -> Phase {
        for peer in self.peers.ids() {
            out.push(self.tell_stop(peer, stopping, now));
        }
        self.go_on(stopping, now, out)
    }

    fn tell_stop(&self, peer: PeerId, stopping: Stopping, now: Millis) -> Action {
        let timeout = stopping.cut_at.saturating_sub(now);
        Action::TellStop {
            peer,
            linger: self.rules.linger.min(timeout),
            timeout,
        }
    }

    pub(super) fn stopping(&mut self, stopping: Stopping, event: Event, now: Millis, out: &mut Vec<Action>) -> Phase {
        let stay = Phase::Stopping(stopping);
        match event {
            Event::Tick if stopping.deadline() <= now => self.overdue(stopping, now, out),
            Event::Terminate if stopping.failure.is_some() => {
                out.push(Action::Stopping(self.status(ShimState::Draining)));
                let failure = None;
                Phase::Stopping(Stopping { failure, ..stopping })
            }
            Event::Spawned { pid, .. } => {
                self.pid = Some(pid);
                self.repeat(stopping, now, out)
            }
            Event::Refused { code, reason } => self.crashed(Exit::Code(code), reason, now, out),
            Event::AppExited { exit, leftovers: false } => self.finish(stopping, exit, now, out),
            Event::AppExited { exit, leftovers: true } => self.left_behind(stopping, exit, now, out),
            Event::GroupGone => match stopping.exit {
                Some(exit) => self.finish(stopping, exit, now, out),
                None => stay,
            },
            Event::Said(peer, Said::Hello) => {
                out.push(self.tell_stop(peer, stopping, now));
                stay
            }
            Event::Said(peer, Said::Listening) if matches!(stopping.stage, Stage::Hearing(_)) => {
                out.push(self.tell_stop(peer, stopping, now));
                self.go_on(stopping.draining(), now, out)
            }
            Event::Said(..) | Event::Closed(_) => self.go_on(stopping, now, out),
            Event::Unheard if matches!(stopping.stage, Stage::Told(_)) => Self::signal(stopping, out),
            Event::Notified(Notified::Status(words)) if stopping.failure.is_none() => {
                self.quote(ShimState::Draining, words, out);
                stay
            }
            Event::Tick
            | Event::Terminate
            | Event::Forward(_)
            | Event::Notified(_)
            | Event::Message
            | Event::Unheard
            | Event::Probed(_) => stay,
        }
    }

    /// The main process is gone and others of its group are not.
    fn left_behind(&mut self, stopping: Stopping, exit: Exit, now: Millis, out: &mut Vec<Action>) -> Phase {
        self.pid = None;
        let exit = Some(exit);
        self.repeat(Stopping { exit, ..stopping }, now, out)
    }

    /// From draining to the end of the app, as soon as nothing is left to drain.
    fn go_on(&mut self, stopping: Stopping, now: Millis, out: &mut Vec<Action>) -> Phase {
        match stopping.stage {
            Stage::Draining(_) if self.peers.drained() => self.tell(stopping, now, out),
            Stage::Hearing(_) | Stage::Draining(_) | Stage::Told(_) | Stage::Signalled | Stage::Killed(_) => {
                Phase::Stopping(stopping)
            }
        }
    }

    /// By a message first, where the app wants one: half of the time that is left is for that.
    fn tell(&self, stopping: Stopping, now: Millis, out: &mut Vec<Action>) -> Phase {
        if !self.rules.stop_message {
            return Self::signal(stopping, out);
        }
        out.push(Action::MessageApp);
        let stage = Stage::Told(now + stopping.kill_at.saturating_sub(now) / 2);
        Phase::Stopping(Stopping { stage, ..stopping })
    }

    fn signal(stopping: Stopping, out: &mut Vec<Action>) -> Phase {
        out.push(Action::StopApp);
        Phase::Stopping(Stopping {
            stage: Stage::Signalled,
            ..stopping
        })
    }

    /// What was sent before goes out again: to a process that came late, or to those the main process left behind, who
    /// have no channel for a message.
    fn repeat(&mut self, stopping: Stopping, now: Millis, out: &mut Vec<Action>) -> Phase {
        match stopping.stage {
            Stage::Hearing(_) | Stage::Draining(_) => return self.go_on(stopping, now, out),
            Stage::Told(_) => return Self::signal(stopping, out),
            Stage::Signalled => out.push(Action::StopApp),
            Stage::Killed(_) => out.push(Action::KillApp),
        }
        Phase::Stopping(stopping)
    }

    fn overdue(&mut self, stopping: Stopping, now: Millis, out: &mut Vec<Action>) -> Phase {
        match stopping.stage {
            Stage::Hearing(_) => self.go_on(stopping.draining(), now, out),
            Stage::Told(_) => Self::signal(stopping, out),
            Stage::Draining(_) => {
                let in_flight = self.peers.in_flight();
                out.push(Action::Note(Note::DrainDeadline { in_flight }));
                self.tell(stopping, now, out)
            }
            Stage::Signalled => {
                out.push(Action::Note(Note::StopDeadline));
                out.push(Action::KillApp);
                let stage = Stage::Killed(now.saturating_add(REAP_MS));
                Phase::Stopping(Stopping { stage, ..stopping })
            }
            Stage::Killed(_) => {
                let exit = stopping.exit.unwrap_or(Exit::Signal(nix::libc::SIGKILL));
                self.finish(stopping, exit, now, out)
            }
        }
    }

    /// Whoever replaced the instance reads this in the journal: the unit's own words are gone by then.
    fn tell_drained(&self, out: &mut Vec<Action>) {
        let (served, cut) = (self.peers.served(), self.peers.cut());
        if served > 0 {
            out.push(Action::Note(Note::WaitedFor { requests: served }));
        }
        if cut > 0 {
            out.push(Action::Note(Note::Cut { requests: cut }));
        }
    }

    fn finish(&mut self, stopping: Stopping, exit: Exit, now: Millis, out: &mut Vec<Action>) -> Phase {
        self.tell_drained(out);
        if let Some(code) = stopping.failure {
            let reason = self.remark.clone().unwrap_or_default();
            self.record = self.note_crash(None, &reason, now);
            self.pid = None;
            out.push(Action::Remember(self.record.clone()));
            out.push(Action::Status(self.status(ShimState::Failed)));
            out.push(Action::Finish(Exit::Code(code)));
        } else {
            self.record = Record::default();
            out.push(Action::Remember(self.record.clone()));
            out.push(Action::Finish(exit));
        }
        Phase::Done
    }
}
