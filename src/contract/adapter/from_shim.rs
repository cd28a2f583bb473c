//! What the shim says.

use std::fmt;

use super::words::words;

/// A longer time is not understood, so it is said as this: eleven days, in milliseconds.
pub const LONGEST_SPAN: u64 = 999_999_999;

/// One message of the shim. Each has two numbers, which only [`ShimMessage::Stop`] gives a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShimMessage {
    /// Take connections from the held sockets: the proof of readiness was seen.
    Accept,
    /// Drain. Times are in milliseconds.
    Stop {
        /// How long an idle connection may still bring a last request.
        linger: u64,
        /// After which whatever is left is cut.
        timeout: u64,
    },
    /// Pass PM2's shutdown message to the app.
    Shutdown,
}

words!(Word {
    Accept = "accept",
    Stop = "stop",
    Shutdown = "shutdown",
});

impl ShimMessage {
    /// The message in a line without its newline, as an adapter understands it: two numbers of at most nine digits and
    /// nothing else.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let word = Word::read(parts.next()?)?;
        let (first, second) = (number(parts.next()?)?, number(parts.next()?)?);
        if parts.next().is_some() {
            return None;
        }
        Some(match word {
            Word::Accept => Self::Accept,
            Word::Stop => Self::Stop {
                linger: first,
                timeout: second,
            },
            Word::Shutdown => Self::Shutdown,
        })
    }

    fn word(self) -> Word {
        match self {
            Self::Accept => Word::Accept,
            Self::Stop { .. } => Word::Stop,
            Self::Shutdown => Word::Shutdown,
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The line, without its newline.
impl fmt::Display for ShimMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = match *self {
            Self::Stop { linger, timeout } => (linger.min(LONGEST_SPAN), timeout.min(LONGEST_SPAN)),
            Self::Accept | Self::Shutdown => (0, 0),
        };
        write!(f, "{} {first} {second}", self.word().text())
    }
}
