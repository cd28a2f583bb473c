//! The adapters of one instance (npm and node are two): how far each is with listening and draining, and when its event
//! loop last turned. Pure.

use appctl::contract::Responses;

use super::event::{AdapterMessage, Beat, Event, Millis, PeerId};

/// One connected adapter.
#[derive(Debug, Clone)]
struct Peer {
    id: PeerId,
    listening: bool,
    drained: bool,
    /// It can be asked for its stack while its event loop is blocked.
    traceable: bool,
    /// The last sign of life.
    turned: Millis,
    /// How often it has beaten, and how often it had at the last proof of life.
    beats: u32,
    proven: u32,
    in_flight: u32,
    responses: Option<Responses>,
}

impl Peer {
    fn new(id: PeerId, now: Millis) -> Self {
        Self {
            id,
            listening: false,
            drained: false,
            traceable: false,
            turned: now,
            beats: 0,
            proven: 0,
            in_flight: 0,
            responses: None,
        }
    }

    fn beat(&mut self, beat: Beat, now: Millis) {
        self.turned = now;
        self.beats = self.beats.wrapping_add(1).max(1);
        self.in_flight = beat.in_flight;
        self.responses = beat.responses.or(self.responses);
    }
}

/// An event loop that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Still {
    pub(super) id: PeerId,
    pub(super) since: Millis,
    /// From here on it is held against it.
    pub(super) excused: Millis,
    pub(super) traceable: bool,
}

/// All of them. One whose connection is closed is forgotten, what it said to have answered or cut is not.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers {
    connected: Vec<Peer>,
    served: u32,
    cut: u32,
    /// Of those that are gone.
    gone: Option<Responses>,
}

impl Peers {
    /// Keeps the books; every event passes here before the phase sees it.
    pub(super) fn note(&mut self, event: &Event, now: Millis) {
        match event {
            Event::Adapter(id, message) => self.heard(*id, message, now),
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

    fn heard(&mut self, id: PeerId, message: &AdapterMessage, now: Millis) {
        let known = self.connected.iter().position(|peer| peer.id == id);
        let at = known.unwrap_or_else(|| {
            self.connected.push(Peer::new(id, now));
            self.connected.len() - 1
        });
        let peer = &mut self.connected[at];
        match message {
            AdapterMessage::Listening { .. } => peer.listening = true,
            AdapterMessage::Traceable => peer.traceable = true,
            AdapterMessage::Beat(beat) => peer.beat(*beat, now),
            // What an adapter says of its end, it says once.
            AdapterMessage::Drained { .. } if peer.drained => {}
            AdapterMessage::Drained { served, cut } => {
                peer.drained = true;
                self.served = self.served.saturating_add(*served);
                self.cut = self.cut.saturating_add(*cut);
            }
            AdapterMessage::Hello { .. }
            | AdapterMessage::Elsewhere { .. }
            | AdapterMessage::Probe
            | AdapterMessage::Ready
            | AdapterMessage::Stopped
            | AdapterMessage::Stack { .. }
            | AdapterMessage::Traced => {}
        }
    }

    /// From now on an event loop may be held to account: the time before was the start's, or the shim could not listen.
    pub(super) fn begin(&mut self, now: Millis) {
        self.connected.iter_mut().for_each(|peer| peer.turned = now);
    }

    /// Those that serve; all of them where none does. A launcher whose app serves may well wait in a system call for ever.
    fn that_count(&self) -> impl Iterator<Item = &Peer> {
        let serving = self.listening();
        self.connected.iter().filter(move |peer| peer.listening || !serving)
    }

    /// The event loop to be judged first. Before its first beat it has as long as a start: an app may listen first and
    /// load what it needs then.
    pub(super) fn stillest(&self, start: Millis) -> Option<Still> {
        let still = self.that_count().map(|peer| Still {
            id: peer.id,
            since: peer.turned,
            excused: peer.turned.saturating_add(if peer.beats > 0 { 0 } else { start }),
            traceable: peer.traceable,
        });
        still.min_by_key(|still| still.excused)
    }

    /// Whether any adapter holds one of our sockets: only then is there something to drain.
    pub(super) fn listening(&self) -> bool {
        self.connected.iter().any(|peer| peer.listening)
    }

    /// Whether every adapter that listened has nothing left. True when there is none.
    pub(super) fn drained(&self) -> bool {
        self.connected.iter().all(|peer| peer.drained || !peer.listening)
    }

    /// Proof of life: every adapter that counts has beaten since the last proof.
    pub(super) fn all_beat(&mut self) -> bool {
        let all = self.that_count().all(|peer| peer.beats != peer.proven);
        if all {
            self.connected.iter_mut().for_each(|peer| peer.proven = peer.beats);
        }
        all
    }

    /// What all adapters answered so far; `None` while none has said so.
    pub(super) fn responses(&self) -> Option<Responses> {
        sum(self.connected.iter().map(|peer| peer.responses).chain([self.gone]))
    }

    /// Requests that the adapters reported as answered while they drained.
    pub(super) fn served(&self) -> u32 {
        self.served
    }

    /// Requests that the adapters reported as cut.
    pub(super) fn cut(&self) -> u32 {
        self.cut
    }

    /// Requests that were last seen in flight at adapters that never reported an end.
    pub(super) fn in_flight(&self) -> u32 {
        let open = self.connected.iter().filter(|peer| !peer.drained);
        open.fold(0, |sum, peer| sum.saturating_add(peer.in_flight))
    }

    /// All that are to be told.
    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.connected.iter().map(|peer| peer.id)
    }
}

/// The sum of what is known; `None` when nothing is.
fn sum(parts: impl Iterator<Item = Option<Responses>>) -> Option<Responses> {
    parts.flatten().reduce(|sum, part| sum + part)
}

#[cfg(test)]
mod tests {
    use super::{AdapterMessage, Beat, Event, Millis, PeerId, Peers, Responses, Still};

    const HELLO: AdapterMessage = AdapterMessage::Hello { pid: 7 };

    fn listening() -> AdapterMessage {
        let address = "[::]:3000".to_owned();
        AdapterMessage::Listening { address }
    }

    fn beat(in_flight: u32, responses: Option<(u64, u64)>) -> AdapterMessage {
        let responses = responses.map(|(all, errors)| Responses { all, errors });
        AdapterMessage::Beat(Beat {
            in_flight,
            responses,
            ..Beat::default()
        })
    }

    impl Peers {
        fn hear(&mut self, now: Millis, id: PeerId, message: AdapterMessage) {
            self.note(&Event::Adapter(id, message), now);
        }
    }

    fn after(messages: impl IntoIterator<Item = (Millis, PeerId, AdapterMessage)>) -> Peers {
        let mut peers = Peers::default();
        for (now, id, message) in messages {
            peers.hear(now, id, message);
        }
        peers
    }

    #[test]
    fn only_those_that_listened_are_waited_for() {
        let mut peers = after([(0, 1, HELLO), (0, 2, listening()), (0, 3, listening())]);
        assert!(!peers.drained());
        peers.hear(0, 2, AdapterMessage::Drained { served: 3, cut: 2 });
        assert!(!peers.drained());
        peers.note(&Event::Closed(3), 0);
        assert!(peers.drained());
        assert_eq!((peers.served(), peers.cut()), (3, 2));
    }

    #[test]
    fn what_was_answered_adds_up_and_outlives_the_adapter() {
        let mut peers = after([(0, 1, beat(0, None)), (0, 2, beat(0, Some((10, 1))))]);
        assert_eq!(peers.responses(), Some(Responses { all: 10, errors: 1 }));
        peers.hear(0, 3, beat(0, Some((5, 5))));
        peers.note(&Event::Closed(2), 0);
        peers.hear(0, 3, beat(0, Some((6, 6))));
        assert_eq!(peers.responses(), Some(Responses { all: 16, errors: 7 }));
        assert_eq!(after([(0, 1, beat(0, None))]).responses(), None);
    }

    #[test]
    fn one_blocked_event_loop_withholds_the_proof_of_life() {
        let mut peers = after([
            (0, 1, beat(4, None)),
            (0, 2, listening()),
            (0, 3, listening()),
            (0, 2, beat(4, None)),
        ]);
        assert!(!peers.all_beat());
        peers.hear(0, 3, beat(4, None));
        assert!(peers.all_beat());
        assert!(!peers.all_beat(), "each proof needs new beats");
        assert_eq!(peers.in_flight(), 12);
    }

    #[test]
    fn before_its_first_beat_a_loop_has_as_long_as_a_start() {
        let mut peers = after([(5, 1, HELLO), (6, 1, listening()), (6, 1, AdapterMessage::Traceable)]);
        let still = |since, excused| {
            Some(Still {
                id: 1,
                since,
                excused,
                traceable: true,
            })
        };
        assert_eq!(peers.stillest(60), still(5, 65));
        peers.begin(10);
        assert_eq!(peers.stillest(60), still(10, 70));
        peers.hear(20, 1, beat(0, None));
        assert_eq!(peers.stillest(60), still(20, 20));
        peers.note(&Event::Closed(1), 30);
        assert_eq!(peers.stillest(60), None);
    }

    #[test]
    fn a_launcher_counts_only_while_no_other_process_serves() {
        let mut peers = after([
            (1, 1, HELLO),
            (2, 1, beat(0, None)),
            (3, 2, HELLO),
            (4, 2, beat(0, None)),
        ]);
        assert_eq!(peers.stillest(0).map(|still| still.id), Some(1));
        peers.hear(5, 2, listening());
        assert_eq!(peers.stillest(0).map(|still| still.id), Some(2));
    }
}
