//! The adapters of one instance (npm and node are two), and how far each is with listening and draining. Pure.

use appctl::observe::Responses;

use super::event::{Event, PeerId, Said};

/// One connected adapter.
#[derive(Debug, Clone)]
struct Peer {
    id: PeerId,
    listening: bool,
    drained: bool,
    beat: bool,
    in_flight: u32,
    responses: Option<Responses>,
}

/// All of them. One that hangs up is forgotten, what it said to have answered or cut is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    connected: Vec<Peer>,
    served: u32,
    cut: u32,
    /// Of those that hung up.
    gone: Option<Responses>,
}

impl Peers {
    /// Keeps the books; every event passes here before the phase sees it.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Said(id, said) => self.said(*id, said),
            Event::Closed(id) => self.closed(*id),
            Event::Tick
            | Event::Terminate
            | Event::Forward(_)
            | Event::Spawned { .. }
            | Event::Refused { .. }
            | Event::AppExited { .. }
            | Event::GroupGone
            | Event::Notified(_)
            | Event::Message
            | Event::Unheard
            | Event::Probed(_) => {}
        }
    }

    fn closed(&mut self, id: PeerId) {
        let gone = self.connected.iter().filter(|peer| peer.id == id);
        self.gone = sum(gone.map(|peer| peer.responses).chain([self.gone]));
        self.connected.retain(|peer| peer.id != id);
    }

    fn said(&mut self, id: PeerId, said: &Said) {
        let Some(at) = self.connected.iter().position(|peer| peer.id == id) else {
            let peer = Peer {
                id,
                listening: false,
                drained: false,
                beat: false,
                in_flight: 0,
                responses: None,
            };
            self.connected.push(peer);
            return self.said(id, said);
        };
        let peer = &mut self.connected[at];
        match said {
            Said::Listening => peer.listening = true,
            // What an adapter says of its end, it says once.
            Said::Drained { .. } if peer.drained => {}
            Said::Drained { served, cut } => {
                peer.drained = true;
                self.served = self.served.saturating_add(*served);
                self.cut = self.cut.saturating_add(*cut);
            }
            Said::Beat { in_flight, responses } => {
                peer.beat = true;
                peer.in_flight = *in_flight;
                peer.responses = responses.or(peer.responses);
            }
            Said::Hello
            | Said::Elsewhere(_)
            | Said::Probe
            | Said::Ready
            | Said::Stopped
            | Said::Traceable
            | Said::Stack(_)
            | Said::Traced => {}
        }
    }

    /// Whether any adapter holds one of our sockets: only then is there something to drain.
    pub(crate) fn listening(&self) -> bool {
        self.connected.iter().any(|peer| peer.listening)
    }

    /// Whether every adapter that listened has nothing left. True when there is none.
    pub(crate) fn drained(&self) -> bool {
        self.connected.iter().all(|peer| peer.drained || !peer.listening)
    }

    /// Proof of life: every adapter that serves (or every one, before any does) has beaten since the last proof.
    pub(crate) fn all_beat(&mut self) -> bool {
        let serving = self.listening();
        let counts = |peer: &Peer| peer.listening || !serving;
        let all = self.connected.iter().all(|peer| peer.beat || !counts(peer));
        if all {
            self.connected.iter_mut().for_each(|peer| peer.beat = false);
        }
        all
    }

    /// What all adapters answered so far; `None` while none has said so.
    pub(crate) fn responses(&self) -> Option<Responses> {
        sum(self.connected.iter().map(|peer| peer.responses).chain([self.gone]))
    }

    /// Requests that the adapters reported as answered while they drained.
    pub(crate) fn served(&self) -> u32 {
        self.served
    }

    /// Requests that the adapters reported as cut.
    pub(crate) fn cut(&self) -> u32 {
        self.cut
    }

    /// Requests that were last seen in flight at adapters that never reported an end.
    pub(crate) fn in_flight(&self) -> u32 {
        let open = self.connected.iter().filter(|peer| !peer.drained);
        open.fold(0, |sum, peer| sum.saturating_add(peer.in_flight))
    }

    /// Everyone to be told.
    pub(crate) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.connected.iter().map(|peer| peer.id)
    }
}

/// The sum of what is known; `None` when nothing is.
fn sum(parts: impl Iterator<Item = Option<Responses>>) -> Option<Responses> {
    parts.flatten().reduce(|sum, part| sum + part)
}

#[cfg(test)]
mod tests {
    use super::{Event, Peers, Responses, Said};

    fn after(said: &[(u32, Said)]) -> Peers {
        let mut peers = Peers::default();
        for (id, said) in said {
            peers.note(&Event::Said(*id, said.clone()));
        }
        peers
    }

    #[test]
    fn only_those_that_listened_are_waited_for() {
        let mut peers = after(&[(1, Said::Hello), (2, Said::Listening), (3, Said::Listening)]);
        assert!(!peers.drained());
        peers.note(&Event::Said(2, Said::Drained { served: 3, cut: 2 }));
        assert!(!peers.drained());
        peers.note(&Event::Closed(3));
        assert!(peers.drained());
        assert_eq!((peers.served(), peers.cut()), (3, 2));
    }

    fn beat(in_flight: u32, responses: Option<(u64, u64)>) -> Said {
        let responses = responses.map(|(all, errors)| Responses { all, errors });
        Said::Beat { in_flight, responses }
    }

    #[test]
    fn what_was_answered_adds_up_and_outlives_whoever_answered_it() {
        let mut peers = after(&[(1, beat(0, None)), (2, beat(0, Some((10, 1))))]);
        assert_eq!(peers.responses(), Some(Responses { all: 10, errors: 1 }));
        peers.note(&Event::Said(3, beat(0, Some((5, 5)))));
        peers.note(&Event::Closed(2));
        peers.note(&Event::Said(3, beat(0, Some((6, 6)))));
        assert_eq!(peers.responses(), Some(Responses { all: 16, errors: 7 }));
        assert_eq!(after(&[(1, beat(0, None))]).responses(), None);
    }

    #[test]
    fn one_blocked_event_loop_withholds_the_proof_of_life() {
        let beat = beat(4, None);
        let mut peers = after(&[
            (1, beat.clone()),
            (2, Said::Listening),
            (3, Said::Listening),
            (2, beat.clone()),
        ]);
        assert!(!peers.all_beat());
        peers.note(&Event::Said(3, beat));
        assert!(peers.all_beat());
        assert!(!peers.all_beat(), "each proof needs new beats");
        assert_eq!(peers.in_flight(), 12);
    }
}
