//! What is on its way to systemd. An app may say as much as it likes; PID 1, which every app shares, hears of it a few
//! times a second: what may wait is kept, the last word of each kind wins, and all of it goes in one message. Pure.

use appctl::contract::ShimStatus;

use crate::machine::Millis;

/// Between two messages that nothing but the app's own words have caused.
pub(crate) const INTERVAL: Millis = 250;

/// What the machine wants said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Ready(ShimStatus),
    Stopping(ShimStatus),
    Status(ShimStatus),
    Extend(Millis),
    Watchdog,
}

/// One message to systemd, `sd_notify(3)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) ready: bool,
    pub(crate) stopping: bool,
    pub(crate) status: Option<ShimStatus>,
    pub(crate) extend: Option<Millis>,
    pub(crate) watchdog: bool,
}

/// What is kept, and what went before.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    kept: Message,
    /// The last status that systemd was told.
    told: Option<ShimStatus>,
    sent: Option<Millis>,
}

impl Outbox {
    /// Takes a word in; what is to be sent now.
    pub(crate) fn put(&mut self, word: Word, now: Millis) -> Option<Message> {
        let urgent = match &word {
            Word::Ready(_) | Word::Stopping(_) => true,
            Word::Status(status) => !self.told.as_ref().is_some_and(|told| same_life(told, status)),
            Word::Extend(_) | Word::Watchdog => false,
        };
        self.keep(word);
        if urgent { self.empty(now) } else { self.take(now) }
    }

    /// When what is kept is due.
    pub(crate) fn due(&self) -> Option<Millis> {
        let next = self.sent.map_or(0, |sent| sent.saturating_add(INTERVAL));
        (self.kept != Message::default()).then_some(next)
    }

    /// What is kept, if it is due.
    pub(crate) fn take(&mut self, now: Millis) -> Option<Message> {
        self.due().filter(|due| *due <= now)?;
        self.empty(now)
    }

    /// All that is kept, due or not.
    pub(crate) fn empty(&mut self, now: Millis) -> Option<Message> {
        let message = std::mem::take(&mut self.kept);
        if message == Message::default() {
            return None;
        }
        self.told = message.status.clone().or(self.told.take());
        self.sent = Some(now);
        Some(message)
    }

    fn keep(&mut self, word: Word) {
        let kept = &mut self.kept;
        match word {
            Word::Ready(status) => (kept.ready, kept.status) = (true, Some(status)),
            Word::Stopping(status) => (kept.stopping, kept.status) = (true, Some(status)),
            Word::Status(status) => kept.status = Some(status).filter(|status| self.told.as_ref() != Some(status)),
            Word::Extend(span) => kept.extend = kept.extend.max(Some(span)),
            Word::Watchdog => kept.watchdog = true,
        }
    }
}

/// Whether they differ only in what the app may change as often as it likes: its words, its counts, the answers to probes.
fn same_life(one: &ShimStatus, other: &ShimStatus) -> bool {
    let life = |status: &ShimStatus| (status.state, status.pid, status.crashes);
    life(one) == life(other) && one.release == other.release && one.elsewhere == other.elsewhere
}

#[cfg(test)]
mod tests {
    use appctl::contract::{ShimState, ShimStatus};
    use proptest::prelude::*;

    use super::{INTERVAL, Message, Outbox, Word};

    fn status(state: ShimState, remark: &str) -> ShimStatus {
        ShimStatus {
            state,
            pid: Some(7),
            release: None,
            responses: None,
            elsewhere: None,
            words: None,
            signal: None,
            crashes: 0,
            remark: Some(remark.to_owned()),
        }
    }

    fn words(text: &str) -> Word {
        Word::Status(status(ShimState::Ready, text))
    }

    #[test]
    fn the_first_word_goes_at_once_and_of_the_others_the_last() {
        let mut outbox = Outbox::default();
        assert!(outbox.put(words("a"), 1_000).is_some());
        assert_eq!(outbox.due(), None);
        for word in [words("b"), Word::Watchdog, Word::Extend(9), words("c"), Word::Extend(5)] {
            assert_eq!(outbox.put(word, 1_001), None);
        }
        assert_eq!(outbox.due(), Some(1_000 + INTERVAL));
        assert_eq!(outbox.take(1_000 + INTERVAL - 1), None);
        let all = Message {
            status: Some(status(ShimState::Ready, "c")),
            extend: Some(9),
            watchdog: true,
            ..Message::default()
        };
        assert_eq!(outbox.take(1_000 + INTERVAL), Some(all));
        assert_eq!(outbox.due(), None);
    }

    #[test]
    fn what_systemd_knows_already_is_not_told() {
        let mut outbox = Outbox::default();
        outbox.put(words("a"), 1_000);
        assert_eq!(outbox.put(words("b"), 1_001), None);
        assert_eq!(outbox.put(words("a"), 1_002), None);
        assert_eq!(outbox.due(), None);
    }

    #[test]
    fn what_the_shim_does_is_told_at_once_and_takes_along_what_is_kept() {
        let mut outbox = Outbox::default();
        outbox.put(words("a"), 1_000);
        outbox.put(Word::Watchdog, 1_001);
        for (word, state) in [
            (Word::Stopping(status(ShimState::Draining, "")), ShimState::Draining),
            (Word::Status(status(ShimState::Failed, "")), ShimState::Failed),
            (Word::Ready(status(ShimState::Ready, "")), ShimState::Ready),
        ] {
            let message = outbox.put(word, 1_002).expect("at once");
            assert_eq!(message.status.map(|status| status.state), Some(state));
        }
        assert_eq!(outbox.due(), None);
    }

    fn any_word() -> impl Strategy<Value = Word> {
        prop_oneof![
            "[ab]".prop_map(|text| words(&text)),
            (0_u64..9).prop_map(Word::Extend),
            Just(Word::Watchdog),
        ]
    }

    proptest! {
        #[test]
        fn no_flood_gets_through_and_no_last_word_is_lost(
            flood in proptest::collection::vec((any_word(), 0_u64..40), 1..400)
        ) {
            let (mut outbox, mut now, mut sent, mut last) = (Outbox::default(), 1_000, Vec::new(), None);
            for (word, pause) in flood {
                if let Word::Status(status) = &word {
                    last = Some(status.clone());
                }
                sent.extend(outbox.take(now).map(|message| (now, message)));
                sent.extend(outbox.put(word, now).map(|message| (now, message)));
                now += pause;
            }
            now += INTERVAL;
            sent.extend(outbox.take(now).map(|message| (now, message)));
            // The first status is news by itself.
            let spaced = sent.windows(2).filter(|pair| pair[1].0 - pair[0].0 < INTERVAL).count();
            prop_assert!(spaced <= 1, "{:?}", sent);
            prop_assert_eq!(sent.iter().rev().find_map(|(_, message)| message.status.clone()), last);
            prop_assert_eq!(outbox.due(), None);
        }
    }
}
