//! What one adapter says: bytes in, words of the protocol out. Trusts nothing: whoever does not greet, speaks no text or
//! does not come to an end of a line is not listened to any more. Pure.

use appctl::observe::Responses;

use crate::lines::Lines;

/// A verb is cut to this in the log.
const SHOWN: usize = 40;
/// A line of a stack is cut to this.
const FRAME: usize = 300;

/// What an adapter says on the control socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is there, and speaks our version.
    Hello,
    /// The app listens on a socket of ours. The first counts: the shim cannot know how many of several it takes, and
    /// connections to the others wait in their queues.
    Listening,
    /// The app listens on a TCP port that none of our sockets holds.
    Elsewhere(u16),
    /// Its private probe socket is up.
    Probe,
    /// The app sent `"ready"` where it had no IPC channel, behind a launcher.
    Ready,
    /// It accepts no more connections.
    Stopped,
    /// Nothing is left to serve; so many requests were answered meanwhile, so many were cut.
    Drained { served: u32, cut: u32 },
    /// Its event loop turns; so many requests are in flight, and so many were answered if it serves.
    Beat {
        in_flight: u32,
        responses: Option<Responses>,
    },
    /// `SIGUSR1` makes it tell its stack even while its event loop is blocked.
    Traceable,
    /// One line of that stack.
    Stack(String),
    /// That was all of it.
    Traced,
}

/// One connection's words so far.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    lines: Lines,
    greeted: bool,
}

impl Speech {
    /// Gives what `bytes` complete to `each`, and lines that mean nothing to `unknown`, cut. False: the connection is
    /// to be closed, and what would have followed was not read.
    pub(crate) fn hear(&mut self, bytes: &[u8], mut unknown: impl FnMut(String), mut each: impl FnMut(Said)) -> bool {
        let (greeted, mut open) = (&mut self.greeted, true);
        self.lines.feed(bytes, |line| {
            let line = line.ok().and_then(|line| str::from_utf8(line).ok());
            match line.map(|line| (line, parse(line))) {
                _ if !open => {}
                None => open = false,
                // The first counts.
                Some((_, Some(Said::Hello))) if *greeted => {}
                Some((_, Some(said))) => {
                    *greeted |= said == Said::Hello;
                    open = *greeted;
                    if open {
                        each(said);
                    }
                }
                Some((line, None)) => {
                    open = *greeted;
                    unknown(line.chars().take(SHOWN).collect());
                }
            }
        });
        open && !self.lines.overflown()
    }
}

/// One line of an adapter. `None`: not a word we know.
fn parse(line: &str) -> Option<Said> {
    let mut words = line.split(' ');
    let verb = words.next()?;
    let mut number = || words.next()?.parse::<u32>().ok();
    match verb {
        "hello" => (number()? == 1 && number()? > 0).then_some(Said::Hello),
        "listening" => Some(Said::Listening),
        "elsewhere" => Some(Said::Elsewhere(u16::try_from(number()?).ok()?)),
        "probe" => Some(Said::Probe),
        "ready" => Some(Said::Ready),
        "traceable" => Some(Said::Traceable),
        "stack" => Some(Said::Stack(frame(line))),
        "traced" => Some(Said::Traced),
        "stopped" => Some(Said::Stopped),
        "drained" => number()
            .zip(number())
            .map(|(served, cut)| Said::Drained { served, cut }),
        "beat" => {
            let (_delay, in_flight) = number().zip(number())?;
            let responses = responses(words);
            Some(Said::Beat { in_flight, responses })
        }
        _ => None,
    }
}

/// The rest of a beat, behind the open connections: an adapter that serves nothing does not tell it.
fn responses<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Responses> {
    let _open = words.next()?;
    let (all, errors) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (errors <= all).then_some(Responses { all, errors })
}

/// What a line of a stack shows: it may hold names that a client has chosen.
fn frame(line: &str) -> String {
    let text = line.split_once(' ').map_or("", |(_, text)| text);
    let shown = text.chars().take(FRAME);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Responses, SHOWN, Said, Speech, parse};
    use crate::lines::LONGEST;

    fn beat(in_flight: u32, responses: Option<(u64, u64)>) -> Said {
        let responses = responses.map(|(all, errors)| Responses { all, errors });
        Said::Beat { in_flight, responses }
    }

    #[test]
    fn every_word_of_the_protocol_is_read() {
        let words = [
            ("hello 1 4711", Said::Hello),
            ("listening [::]:3000", Said::Listening),
            ("elsewhere 4000", Said::Elsewhere(4000)),
            ("probe", Said::Probe),
            ("ready", Said::Ready),
            ("stopped", Said::Stopped),
            ("traceable", Said::Traceable),
            (
                "stack at f\u{1b} (/x.js:1:2)",
                Said::Stack("at f  (/x.js:1:2)".to_owned()),
            ),
            ("traced", Said::Traced),
            ("drained 12 3", Said::Drained { served: 12, cut: 3 }),
            ("beat 17 5 40", beat(5, None)),
            ("beat 17 5", beat(5, None)),
            ("beat 17 5 40 9000000000 37", beat(5, Some((9_000_000_000, 37)))),
            ("beat 17 5 40 630 37 and more to come", beat(5, Some((630, 37)))),
            ("beat 17 5 40 630", beat(5, None)),
            ("beat 17 5 40 -1 0", beat(5, None)),
            ("beat 17 5 40 36 37", beat(5, None)),
            ("beat 17 5 40 36 18446744073709551616", beat(5, None)),
        ];
        for (line, said) in words {
            assert_eq!(parse(line), Some(said), "{line}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for line in [
            "",
            "hello",
            "hello 2 1",
            "hello 1 0",
            "elsewhere 70000",
            "elsewhere",
            "drained 1",
            "beat x 1",
            "LISTENING x",
        ] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }

    /// Everything `pieces` say, and whether the connection is still open then.
    fn heard(pieces: &[&[u8]]) -> (Vec<Said>, bool) {
        let (mut speech, mut said) = (Speech::default(), Vec::new());
        for piece in pieces {
            if !speech.hear(piece, |line| assert!(line.len() <= 4 * SHOWN), |one| said.push(one)) {
                return (said, false);
            }
            assert!(speech.lines.capacity() <= 2 * LONGEST, "it grows");
        }
        (said, true)
    }

    #[test]
    fn of_many_greetings_the_first_counts() {
        let text = format!("{}beat 0 3\n", "hello 1 7\n".repeat(100));
        assert_eq!(heard(&[text.as_bytes()]), (vec![Said::Hello, beat(3, None)], true));
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

    /// A line of text that is no word of the protocol.
    fn nonsense() -> impl Strategy<Value = String> {
        "\\PC{0,200}|[a-z]{1,9}( [a-z0-9]{1,9}){0,4}|beat [a-z]|hello [02-9] 1"
            .prop_filter("means something", |line| parse(line).is_none())
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
            let words = vec![Said::Hello, beat(3, Some((20, 5))), Said::Drained { served: 9, cut: 1 }];
            prop_assert_eq!(heard(&pieces), (words, true));
        }

        #[test]
        fn a_line_without_an_end_closes_the_connection(more in 0_usize..5_000, size in 1_usize..1_500) {
            let text = [b"hello 1 7\n".to_vec(), vec![b'x'; LONGEST + 1 + more]].concat();
            let pieces: Vec<_> = text.chunks(size).collect();
            prop_assert_eq!(heard(&pieces), (vec![Said::Hello], false));
        }

        #[test]
        fn whoever_does_not_greet_is_never_heard(line in nonsense()) {
            let text = format!("{line}\nhello 1 7\nbeat 0 3\n");
            prop_assert_eq!(heard(&[text.as_bytes()]), (Vec::new(), false));
        }
    }
}
