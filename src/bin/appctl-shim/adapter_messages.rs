//! What one adapter says: bytes in, messages out. An adapter that does not greet, that sends something else than text or
//! that does not come to an end of a line is not listened to any more. Pure.

use appctl::contract::adapter::AdapterMessage;

use crate::lines::Lines;

/// What is not understood is cut to this in the log.
const SHOWN: usize = 40;

/// One connection so far.
#[derive(Debug, Default)]
pub(crate) struct AdapterMessages {
    lines: Lines,
    greeted: bool,
}

impl AdapterMessages {
    /// Gives what `bytes` complete to `each`, and lines that mean nothing to `unknown`, cut. False: the connection is
    /// to be closed, and what would have followed was not read.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        mut unknown: impl FnMut(String),
        mut each: impl FnMut(AdapterMessage),
    ) -> bool {
        let (greeted, mut open) = (&mut self.greeted, true);
        self.lines.feed(bytes, |line| {
            if !open {
                return;
            }
            let Some(line) = line.ok().and_then(|line| str::from_utf8(line).ok()) else {
                open = false;
                return;
            };
            let message = AdapterMessage::parse(line);
            let greeting = matches!(message, Some(AdapterMessage::Hello { .. }));
            open = *greeted || greeting;
            match message {
                // The first counts.
                Some(_) if greeting && *greeted => {}
                Some(message) if open => each(message),
                Some(_) => {}
                None => unknown(line.chars().take(SHOWN).collect()),
            }
            *greeted |= greeting;
        });
        open && !self.lines.overflown()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use appctl::contract::Responses;
    use appctl::contract::adapter::{AdapterMessage, Beat};

    use super::{AdapterMessages, SHOWN};
    use crate::lines::LONGEST;

    const GREETING: AdapterMessage = AdapterMessage::Hello { pid: 7 };

    fn beat(in_flight: u32, open: u32, responses: Option<Responses>) -> AdapterMessage {
        let delay = 0;
        AdapterMessage::Beat(Beat {
            delay,
            in_flight,
            open,
            responses,
        })
    }

    /// Everything `pieces` say, and whether the connection is still open then.
    fn heard(pieces: &[&[u8]]) -> (Vec<AdapterMessage>, bool) {
        let (mut messages, mut heard) = (AdapterMessages::default(), Vec::new());
        for piece in pieces {
            if !messages.read(piece, |line| assert!(line.len() <= 4 * SHOWN), |one| heard.push(one)) {
                return (heard, false);
            }
            assert!(messages.lines.capacity() <= 2 * LONGEST, "it grows");
        }
        (heard, true)
    }

    #[test]
    fn of_many_greetings_the_first_counts() {
        let text = format!("{}beat 0 3\n", "hello 1 7\n".repeat(100));
        assert_eq!(heard(&[text.as_bytes()]), (vec![GREETING, beat(3, 0, None)], true));
    }

    /// Bytes with what a parser could stumble over in them.
    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => proptest::collection::vec(any::<u8>(), 0..40),
            2 => "(hello|beat|drained|stack|elsewhere|listening|traced)( -?[0-9]{1,24}){0,6}".prop_map(String::into_bytes),
            2 => Just(b"hello 1 7\n".to_vec()),
            2 => Just(b"\n".to_vec()),
            1 => (0..3 * LONGEST).prop_map(|length| vec![b'x'; length]),
        ];
        proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    /// A line of text that is no message.
    fn nonsense() -> impl Strategy<Value = String> {
        "\\PC{0,200}|[a-z]{1,9}( [a-z0-9]{1,9}){0,4}|beat [a-z]|hello [02-9] 1"
            .prop_filter("means something", |line| AdapterMessage::parse(line).is_none())
    }

    proptest! {
        #[test]
        fn no_bytes_break_it_and_how_they_are_cut_does_not_matter(
            bytes in any_bytes(),
            cuts in proptest::collection::vec(1_usize..1_500, 1..20)
        ) {
            let mut rest = bytes.as_slice();
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, after) = rest.split_at(*cut.min(&rest.len()));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(heard(&pieces), heard(&[&bytes]));
        }

        #[test]
        fn words_between_nonsense_are_understood(noise in proptest::collection::vec(nonsense(), 4), size in 1_usize..300) {
            let [first, second, third, last] = [0, 1, 2, 3].map(|nth: usize| noise[nth].as_str());
            let text = format!("hello 1 7\n{first}\n{second}\nbeat 0 3 4 20 5\n{third}\ndrained 9 1\n{last}\n");
            let pieces: Vec<_> = text.as_bytes().chunks(size).collect();
            let responses = Some(Responses { all: 20, errors: 5 });
            let words = vec![GREETING, beat(3, 4, responses), AdapterMessage::Drained { served: 9, cut: 1 }];
            prop_assert_eq!(heard(&pieces), (words, true));
        }

        #[test]
        fn a_line_without_an_end_closes_the_connection(more in 0_usize..5_000, size in 1_usize..1_500) {
            let text = [b"hello 1 7\n".to_vec(), vec![b'x'; LONGEST + 1 + more]].concat();
            let pieces: Vec<_> = text.chunks(size).collect();
            prop_assert_eq!(heard(&pieces), (vec![GREETING], false));
        }

        #[test]
        fn an_adapter_that_does_not_greet_is_never_heard(line in nonsense()) {
            let text = format!("{line}\nhello 1 7\nbeat 0 3\n");
            prop_assert_eq!(heard(&[text.as_bytes()]), (Vec::new(), false));
        }
    }
}
