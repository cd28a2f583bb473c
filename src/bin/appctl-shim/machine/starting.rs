//! Starting: the app runs and its proof is missing. The deadline means failure, never success. Pure.

use appctl::contract::exit_status::{NOT_NOW, WRONG_CONFIG};
use appctl::contract::times::{GRACE_MS, LONGEST_START};
use appctl::observe::ShimState;

use super::{Action, Event, Machine, Millis, Note, Notified, Phase, Proof, Said, Span};
use crate::backoff::Record;

/// How long an app that listens on a wrong port may still listen on a right one.
const WRONG_PORT_PATIENCE: Millis = 2_000;
const PROBE_INTERVAL: Millis = 100;
/// An answer that takes longer is not waited for; the next attempt may be luckier.
const PROBE_PATIENCE: Millis = 10_000;

/// The timers of a start; `Millis::MAX` is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Starting {
    since: Millis,
    deadline: Millis,
    /// What the app asks for moves the deadline no further.
    latest: Millis,
    /// Being alive then is the proof.
    alive_at: Millis,
    probe_at: Millis,
    wrong_port: Option<(u16, Millis)>,
}

impl Starting {
    pub(super) fn next_tick(self) -> Millis {
        let wrong_port = self.wrong_port.map_or(Millis::MAX, |(_, at)| at);
        self.deadline.min(self.alive_at).min(self.probe_at).min(wrong_port)
    }
}

impl Machine {
    pub(super) fn spawn(&mut self, now: Millis, out: &mut Vec<Action>) -> Phase {
        out.push(Action::Spawn);
        let alive_at = match self.rules.proof {
            Proof::Started(after) => now.saturating_add(after),
            Proof::Notify | Proof::Listening | Proof::Http | Proof::Message => Millis::MAX,
        };
        let span = self.rules.ready_timeout;
        Phase::Starting(Starting {
            since: now,
            deadline: now.saturating_add(span),
            latest: now.saturating_add(span.saturating_mul(LONGEST_START.into())),
            alive_at,
            probe_at: Millis::MAX,
            wrong_port: None,
        })
    }

    pub(super) fn starting(&mut self, starting: Starting, event: Event, now: Millis, out: &mut Vec<Action>) -> Phase {
        let stay = Phase::Starting(starting);
        match event {
            Event::Tick => self.tick_starting(starting, now, out),
            Event::Terminate => self.stop_asked_early(now, out),
            Event::Forward(signal) => {
                out.push(Action::Forward(signal));
                stay
            }
            Event::Spawned { pid, release } => {
                self.spawned(pid, release, out);
                stay
            }
            Event::Refused { code, reason } => self.crashed(super::Exit::Code(code), reason, now, out),
            Event::AppExited { exit, .. } => {
                let lived = Span(now.saturating_sub(starting.since));
                let reason = format!("{exit} before it was ready, {lived} after its start");
                self.crashed(exit, reason, now, out)
            }
            Event::Said(_, said) => self.heard_starting(starting, &said, now, out),
            Event::Notified(notified) => self.notified_starting(starting, notified, now, out),
            Event::Message if self.rules.proof == Proof::Message => self.proven(starting, now, out),
            Event::Probed(Ok(())) if self.rules.proof == Proof::Http => self.proven(starting, now, out),
            Event::Probed(Err(answer)) => {
                self.remark = Some(answer);
                Phase::Starting(Starting {
                    probe_at: now.saturating_add(PROBE_INTERVAL),
                    ..starting
                })
            }
            Event::GroupGone | Event::Closed(_) | Event::Message | Event::Unheard | Event::Probed(Ok(())) => stay,
        }
    }

    fn tick_starting(&mut self, starting: Starting, now: Millis, out: &mut Vec<Action>) -> Phase {
        if starting.alive_at <= now {
            return self.proven(starting, now, out);
        }
        if let Some((port, at)) = starting.wrong_port
            && at <= now
        {
            return self.failed(WRONG_CONFIG.into(), self.wrong_port(port), now, out);
        }
        if starting.deadline <= now {
            let reason = self.not_ready(starting);
            return self.failed(NOT_NOW.into(), Note::NotReady { reason }, now, out);
        }
        if starting.probe_at <= now {
            out.push(Action::Probe);
            let probe_at = now.saturating_add(PROBE_PATIENCE);
            return Phase::Starting(Starting { probe_at, ..starting });
        }
        Phase::Starting(starting)
    }

    fn heard_starting(&mut self, starting: Starting, said: &Said, now: Millis, out: &mut Vec<Action>) -> Phase {
        let next = match said {
            Said::Listening if self.rules.proof == Proof::Listening => return self.proven(starting, now, out),
            Said::Ready if self.rules.proof == Proof::Message => return self.proven(starting, now, out),
            Said::Listening => {
                if self.elsewhere.take().is_some() {
                    out.push(Action::Status(self.status(ShimState::Starting)));
                }
                Starting {
                    wrong_port: None,
                    ..starting
                }
            }
            Said::Elsewhere(port) if self.minds_elsewhere(*port) && starting.wrong_port.is_none() => {
                let at = now.saturating_add(WRONG_PORT_PATIENCE);
                self.elsewhere = Some(*port);
                out.push(Action::Status(self.status(ShimState::Starting)));
                Starting {
                    wrong_port: Some((*port, at)),
                    ..starting
                }
            }
            Said::Probe if self.rules.proof == Proof::Http && starting.probe_at == Millis::MAX => Starting {
                probe_at: now,
                ..starting
            },
            Said::Beat { .. } => {
                self.beat(out);
                starting
            }
            Said::Hello
            | Said::Elsewhere(_)
            | Said::Probe
            | Said::Ready
            | Said::Stopped
            | Said::Drained { .. }
            | Said::Traceable
            | Said::Stack(_)
            | Said::Traced => starting,
        };
        Phase::Starting(next)
    }

    fn notified_starting(&mut self, starting: Starting, said: Notified, now: Millis, out: &mut Vec<Action>) -> Phase {
        match said {
            Notified::Ready if self.rules.proof == Proof::Notify => self.proven(starting, now, out),
            Notified::Status(words) => {
                self.quote(ShimState::Starting, words, out);
                Phase::Starting(starting)
            }
            Notified::Extend(longer) => {
                let asked = now.saturating_add(longer).min(starting.latest);
                out.push(Action::Extend(asked.saturating_sub(now).saturating_add(GRACE_MS)));
                let deadline = starting.deadline.max(asked);
                Phase::Starting(Starting { deadline, ..starting })
            }
            Notified::Ready | Notified::Watchdog => Phase::Starting(starting),
        }
    }

    /// A port beside ours is only a mistake while none of ours is listened on.
    pub(super) fn minds_elsewhere(&self, port: u16) -> bool {
        port != 0 && !self.rules.held.is_empty() && !self.peers.listening()
    }

    fn spawned(&mut self, pid: u32, release: Option<String>, out: &mut Vec<Action>) {
        (self.pid, self.release) = (Some(pid), release);
        self.record = Record {
            running: true,
            ready_at: None,
            ..self.record.clone()
        };
        out.push(Action::Remember(self.record.clone()));
        out.push(Action::Status(self.status(ShimState::Starting)));
    }

    fn proven(&mut self, starting: Starting, now: Millis, out: &mut Vec<Action>) -> Phase {
        if self.rules.proof == Proof::Http {
            self.remark = None;
        }
        (self.elsewhere, self.record.elsewhere) = (None, None);
        self.watch.begin(now);
        self.record.ready_at = Some(now.max(1));
        out.push(Action::Ready(self.status(ShimState::Ready)));
        self.let_accept(out);
        out.push(Action::Remember(self.record.clone()));
        let after = now.saturating_sub(starting.since);
        out.push(Action::Note(Note::Ready { after }));
        Phase::Ready
    }

    /// Also for a process of the app that comes to be later.
    pub(super) fn let_accept(&self, out: &mut Vec<Action>) {
        if self.rules.proof.holds() {
            out.push(Action::Accept);
        }
    }

    fn not_ready(&self, starting: Starting) -> String {
        let waited = Span(starting.deadline.saturating_sub(starting.since));
        let missing = match self.rules.proof {
            Proof::Notify => "it sent no READY=1",
            Proof::Listening => "it listens on none of its sockets",
            Proof::Http if starting.probe_at == Millis::MAX => "it listens nowhere that could be probed",
            Proof::Http => self.remark.as_deref().unwrap_or("its probe got no answer"),
            Proof::Message => "it sent no \"ready\" message",
            Proof::Started(_) => "the deadline is before the time it must stay alive",
        };
        format!("not ready after {waited}: {missing}")
    }
}
