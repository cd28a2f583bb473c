//! The adapters of one instance (npm and node are two), and how far each is with listening and draining. Pure.

use super::event::{Event, PeerId, Said};

/// One connected adapter.
#[derive(Debug, Clone)]
struct Peer {
    id: PeerId,
    listening: bool,
    drained: bool,
    beat: bool,
    in_flight: u32,
}

/// All of them. One that hangs up is forgotten, what it said to have cut is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peers {
    peers: Vec<Peer>,
    cut: u32,
}

impl Peers {
    /// Keeps the books; every event passes here before the phase sees it.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Said(id, said) => self.said(*id, said),
            Event::Closed(id) => self.peers.retain(|peer| peer.id != *id),
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

    fn said(&mut self, id: PeerId, said: &Said) {
        let Some(at) = self.peers.iter().position(|peer| peer.id == id) else {
            let peer = Peer {
                id,
                listening: false,
                drained: false,
                beat: false,
                in_flight: 0,
            };
            self.peers.push(peer);
            return self.said(id, said);
        };
        let peer = &mut self.peers[at];
        match said {
            Said::Listening => peer.listening = true,
            Said::Drained { cut } => {
                peer.drained = true;
                self.cut = self.cut.saturating_add(*cut);
            }
            Said::Beat { in_flight } => {
                peer.beat = true;
                peer.in_flight = *in_flight;
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
        self.peers.iter().any(|peer| peer.listening)
    }

    /// Whether every adapter that listened has nothing left. True when there is none.
    pub(crate) fn drained(&self) -> bool {
        self.peers.iter().all(|peer| peer.drained || !peer.listening)
    }

    /// Proof of life: every adapter that serves (or every one, before any does) has beaten since the last proof.
    pub(crate) fn all_beat(&mut self) -> bool {
        let serving = self.listening();
        let counts = |peer: &Peer| peer.listening || !serving;
        let all = self.peers.iter().all(|peer| peer.beat || !counts(peer));
        if all {
            self.peers.iter_mut().for_each(|peer| peer.beat = false);
        }
        all
    }

    /// Requests that the adapters reported as cut.
    pub(crate) fn cut(&self) -> u32 {
        self.cut
    }

    /// Requests that were last seen in flight at adapters that never reported an end.
    pub(crate) fn in_flight(&self) -> u32 {
        let open = self.peers.iter().filter(|peer| !peer.drained);
        open.fold(0, |sum, peer| sum.saturating_add(peer.in_flight))
    }

    /// Everyone to be told.
    pub(crate) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.peers.iter().map(|peer| peer.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Peers, Said};

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
        peers.note(&Event::Said(2, Said::Drained { cut: 2 }));
        assert!(!peers.drained());
        peers.note(&Event::Closed(3));
        assert!(peers.drained());
        assert_eq!(peers.cut(), 2);
    }

    #[test]
    fn one_blocked_event_loop_withholds_the_proof_of_life() {
        let beat = Said::Beat { in_flight: 4 };
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
