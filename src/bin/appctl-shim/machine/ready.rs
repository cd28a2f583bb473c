//! Ready: the app serves. Pure.

use appctl::observe::ShimState;

use super::{Action, Event, Machine, Millis, Notified, Phase, Said, Span};

impl Machine {
    pub(super) fn ready(&mut self, event: Event, now: Millis, out: &mut Vec<Action>) -> Phase {
        match event {
            Event::Terminate => return self.stop_asked(now, out),
            Event::AppExited { exit, .. } => {
                let served = Span(now.saturating_sub(self.record.ready_at.unwrap_or(now)));
                return self.crashed(exit, format!("{exit}, {served} after it was ready"), now, out);
            }
            Event::Tick => return self.look(now, out),
            Event::Forward(signal) => out.push(Action::Forward(signal)),
            Event::Said(_, said) => self.heard_ready(&said, now, out),
            Event::Notified(Notified::Status(words)) => self.quote(ShimState::Ready, words, out),
            Event::Notified(Notified::Watchdog) if self.rules.watchdog => out.push(Action::Watchdog),
            Event::Spawned { .. }
            | Event::Refused { .. }
            | Event::GroupGone
            | Event::Closed(_)
            | Event::Notified(Notified::Ready | Notified::Extend(_) | Notified::Watchdog)
            | Event::Message
            | Event::Unheard
            | Event::Probed(_) => {}
        }
        Phase::Ready
    }

    fn heard_ready(&mut self, said: &Said, now: Millis, out: &mut Vec<Action>) {
        match said {
            Said::Beat { .. } => {
                self.beat(out);
                self.tell_responses(now, out);
            }
            // Once: there are many ports to listen on.
            Said::Elsewhere(port) if self.minds_elsewhere(*port) && !self.warned => {
                self.warned = true;
                out.push(Action::Note(self.wrong_port(*port)));
            }
            Said::Hello => self.let_accept(out),
            Said::Listening
            | Said::Elsewhere(_)
            | Said::Probe
            | Said::Ready
            | Said::Stopped
            | Said::Traceable
            | Said::Stack(_)
            | Said::Traced
            | Said::Drained { .. } => {}
        }
    }
}
