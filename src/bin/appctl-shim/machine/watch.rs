//! The event loops of one instance, and when each last turned. Pure.

use super::event::{Event, Millis, PeerId, Said};

/// One event loop.
#[derive(Debug, Clone)]
struct Loop {
    id: PeerId,
    listening: bool,
    /// It can be asked for its stack while it is blocked.
    traceable: bool,
    /// Its last sign of life.
    turned: Millis,
    /// Whether that was a beat.
    beats: bool,
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
    /// From here on it is held against it.
    pub(super) excused: Millis,
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
        if *said == Said::Hello && !self.loops.iter().any(|one| one.id == id) {
            self.loops.push(Loop {
                id,
                listening: false,
                traceable: false,
                turned: now,
                beats: false,
            });
        }
        let Some(one) = self.loops.iter_mut().find(|one| one.id == id) else {
            return;
        };
        match said {
            Said::Listening => one.listening = true,
            Said::Traceable => one.traceable = true,
            Said::Beat { .. } => (one.turned, one.beats) = (now, true),
            _ => {}
        }
    }

    /// From now on: the time before was the start's, or nobody could have listened.
    pub(super) fn begin(&mut self, now: Millis) {
        self.loops.iter_mut().for_each(|one| one.turned = now);
    }

    /// The loop to be judged first, among those that serve; among all where none does. A launcher whose app serves may
    /// well wait in a system call for ever. Before its first beat a loop has as long as a start: an app may listen first
    /// and load what it needs then.
    pub(super) fn stillest(&self, start: Millis) -> Option<Still> {
        let serving = self.loops.iter().any(|one| one.listening);
        let counts = self.loops.iter().filter(|one| one.listening || !serving);
        let still = counts.map(|one| Still {
            id: one.id,
            since: one.turned,
            excused: one.turned.saturating_add(if one.beats { 0 } else { start }),
            traceable: one.traceable,
        });
        still.min_by_key(|still| still.excused)
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Said, Still, Watch};

    const BEAT: Said = Said::Beat {
        in_flight: 0,
        responses: None,
    };

    fn after(said: &[(u64, u32, Said)]) -> Watch {
        let mut watch = Watch::default();
        for (now, id, said) in said {
            watch.note(&Event::Said(*id, said.clone()), *now);
        }
        watch
    }

    #[test]
    fn before_its_first_beat_a_loop_has_as_long_as_a_start() {
        let mut watch = after(&[(5, 1, Said::Hello), (6, 1, Said::Listening), (6, 1, Said::Traceable)]);
        let still = |since, excused| {
            Some(Still {
                id: 1,
                since,
                excused,
                traceable: true,
            })
        };
        assert_eq!(watch.stillest(60), still(5, 65));
        watch.begin(10);
        assert_eq!(watch.stillest(60), still(10, 70));
        watch.note(&Event::Said(1, BEAT), 20);
        assert_eq!(watch.stillest(60), still(20, 20));
        watch.note(&Event::Closed(1), 30);
        assert_eq!(watch.stillest(60), None);
    }

    #[test]
    fn a_launcher_counts_only_while_nobody_serves() {
        let mut watch = after(&[(1, 1, Said::Hello), (2, 1, BEAT), (3, 2, Said::Hello), (4, 2, BEAT)]);
        assert_eq!(watch.stillest(0).map(|still| still.id), Some(1));
        watch.note(&Event::Said(2, Said::Listening), 5);
        assert_eq!(watch.stillest(0).map(|still| still.id), Some(2));
    }
}
