//! The event loops of one instance, and when each last turned. Pure.

use super::event::{Event, Millis, PeerId, Said};

/// One event loop.
#[derive(Debug, Clone)]
struct Loop {
    id: PeerId,
    listening: bool,
    /// It can be asked for its stack while it is blocked.
    traceable: bool,
    /// Its last beat; `None`: it is not watched before the first, a start may take its time.
    turned: Option<Millis>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    loops: Vec<Loop>,
}

/// A loop that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Still {
    pub(super) id: PeerId,
    pub(super) since: Millis,
    pub(super) traceable: bool,
}

impl Watch {
    /// Keeps the books; every event passes here before the phase sees it.
    pub(super) fn note(&mut self, event: &Event, now: Millis) {
        match event {
            Event::Said(id, said) => self.said(*id, said, now),
            Event::Closed(id) => self.loops.retain(|one| one.id != *id),
            _ => {}
        }
    }

    fn said(&mut self, id: PeerId, said: &Said, now: Millis) {
        if *said == Said::Hello {
            self.loops.push(Loop {
                id,
                listening: false,
                traceable: false,
                turned: None,
            });
        }
        let Some(one) = self.loops.iter_mut().find(|one| one.id == id) else {
            return;
        };
        match said {
            Said::Listening => one.listening = true,
            Said::Traceable => one.traceable = true,
            Said::Beat { .. } => one.turned = Some(now),
            _ => {}
        }
    }

    /// From now on, for those that have beaten: the time before was the start's, or nobody could have listened.
    pub(super) fn begin(&mut self, now: Millis) {
        self.loops
            .iter_mut()
            .filter_map(|one| one.turned.as_mut())
            .for_each(|turned| *turned = now);
    }

    /// The loop that has stood still for longest, among those that serve; among all where none does. A launcher whose
    /// app serves may well wait in a system call for ever.
    pub(super) fn stillest(&self) -> Option<Still> {
        let serving = self.loops.iter().any(|one| one.listening);
        let counts = self.loops.iter().filter(|one| one.listening || !serving);
        let still = counts.filter_map(|one| {
            let (id, traceable) = (one.id, one.traceable);
            one.turned.map(|since| Still { id, since, traceable })
        });
        still.min_by_key(|still| still.since)
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Said, Still, Watch};

    const BEAT: Said = Said::Beat { in_flight: 0 };

    fn after(said: &[(u64, u32, Said)]) -> Watch {
        let mut watch = Watch::default();
        for (now, id, said) in said {
            watch.note(&Event::Said(*id, said.clone()), *now);
        }
        watch
    }

    #[test]
    fn a_loop_is_watched_from_its_first_beat_on() {
        let mut watch = after(&[(5, 1, Said::Hello), (6, 1, Said::Listening)]);
        assert_eq!(watch.stillest(), None);
        watch.note(&Event::Said(1, Said::Traceable), 7);
        watch.note(&Event::Said(1, BEAT), 9);
        let still = |since| Still {
            id: 1,
            since,
            traceable: true,
        };
        assert_eq!(watch.stillest(), Some(still(9)));
        watch.begin(20);
        assert_eq!(watch.stillest(), Some(still(20)));
        watch.note(&Event::Closed(1), 30);
        assert_eq!(watch.stillest(), None);
    }

    #[test]
    fn a_launcher_counts_only_while_nobody_serves() {
        let mut watch = after(&[(1, 1, Said::Hello), (2, 1, BEAT), (3, 2, Said::Hello), (4, 2, BEAT)]);
        assert_eq!(watch.stillest().map(|still| still.id), Some(1));
        watch.note(&Event::Said(2, Said::Listening), 5);
        assert_eq!(watch.stillest().map(|still| still.id), Some(2));
    }
}
