//! What an adapter says.

use std::fmt;

use super::VERSION;
use super::words::words;
use crate::contract::Responses;

/// A line of a stack is cut to this many characters.
const LONGEST_FRAME: usize = 300;

/// One message of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdapterMessage {
    /// It is there, and speaks our version.
    Hello {
        /// Of its process, as it says; never 0.
        pid: u32,
    },
    /// The app listens on a held socket. The first counts: the shim cannot know how many of several it takes, and
    /// connections to the others wait in their queues.
    Listening {
        /// As the app's unit names the socket; for people.
        address: String,
    },
    /// The app listens on a TCP port that no held socket has.
    Elsewhere {
        /// Which.
        port: u16,
    },
    /// Its private socket for readiness probes answers.
    Probe,
    /// The app sent `"ready"` where it had no IPC channel, behind a launcher.
    Ready,
    /// The event loop turns; once a second.
    Beat(Beat),
    /// It accepts no more connections.
    Stopped,
    /// Nothing is left to serve.
    Drained {
        /// Requests that were answered since it was told to stop.
        served: u32,
        /// Requests that were not.
        cut: u32,
    },
    /// `SIGUSR1` makes it tell its stack even while its event loop is blocked.
    Traceable,
    /// One line of that stack.
    Stack {
        /// Without control characters: it may hold names that a client has chosen.
        line: String,
    },
    /// That was all of it.
    Traced,
}

/// What comes with a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beat {
    /// How late it is, in milliseconds: for so long the event loop was held.
    pub delay: u32,
    /// Requests in flight.
    pub in_flight: u32,
    /// Open connections.
    pub open: u32,
    /// What was answered so far. An adapter that serves nothing does not tell it.
    pub responses: Option<Responses>,
}

words!(Word {
    Hello = "hello",
    Listening = "listening",
    Elsewhere = "elsewhere",
    Probe = "probe",
    Ready = "ready",
    Beat = "beat",
    Stopped = "stopped",
    Drained = "drained",
    Traceable = "traceable",
    Stack = "stack",
    Traced = "traced",
});

impl AdapterMessage {
    /// The message in a line without its newline. `None`: not a word of this version, or not what belongs to it.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut values = rest.split(' ');
        let mut number = || values.next()?.parse::<u32>().ok();
        Some(match Word::read(word)? {
            Word::Hello => {
                let (_, pid) = number().zip(number()).filter(|(version, _)| *version == VERSION)?;
                (pid > 0).then_some(Self::Hello { pid })?
            }
            Word::Listening => Self::Listening {
                address: rest.to_owned(),
            },
            Word::Elsewhere => Self::Elsewhere {
                port: number()?.try_into().ok()?,
            },
            Word::Probe => Self::Probe,
            Word::Ready => Self::Ready,
            Word::Beat => Self::Beat(Beat::parse(values)?),
            Word::Stopped => Self::Stopped,
            Word::Drained => {
                let (served, cut) = number().zip(number())?;
                Self::Drained { served, cut }
            }
            Word::Traceable => Self::Traceable,
            Word::Stack => Self::Stack { line: frame(rest) },
            Word::Traced => Self::Traced,
        })
    }

    fn word(&self) -> Word {
        match self {
            Self::Hello { .. } => Word::Hello,
            Self::Listening { .. } => Word::Listening,
            Self::Elsewhere { .. } => Word::Elsewhere,
            Self::Probe => Word::Probe,
            Self::Ready => Word::Ready,
            Self::Beat(_) => Word::Beat,
            Self::Stopped => Word::Stopped,
            Self::Drained { .. } => Word::Drained,
            Self::Traceable => Word::Traceable,
            Self::Stack { .. } => Word::Stack,
            Self::Traced => Word::Traced,
        }
    }
}

/// The line, without its newline.
impl fmt::Display for AdapterMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word().text())?;
        match self {
            Self::Hello { pid } => write!(f, " {VERSION} {pid}"),
            Self::Listening { address: text } | Self::Stack { line: text } => write!(f, " {text}"),
            Self::Elsewhere { port } => write!(f, " {port}"),
            Self::Beat(beat) => write!(f, " {beat}"),
            Self::Drained { served, cut } => write!(f, " {served} {cut}"),
            Self::Probe | Self::Ready | Self::Stopped | Self::Traceable | Self::Traced => Ok(()),
        }
    }
}

impl Beat {
    /// What is missing at the end, or makes no sense there, is not known.
    fn parse<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (delay, in_flight) = (values.next()?.parse().ok()?, values.next()?.parse().ok()?);
        Some(Self {
            delay,
            in_flight,
            open: values.next().and_then(|open| open.parse().ok()).unwrap_or(0),
            responses: responses(values),
        })
    }
}

fn responses<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<Responses> {
    let (all, errors) = (values.next()?.parse().ok()?, values.next()?.parse().ok()?);
    (errors <= all).then_some(Responses { all, errors })
}

impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.delay, self.in_flight, self.open)?;
        match self.responses {
            Some(Responses { all, errors }) => write!(f, " {all} {errors}"),
            None => Ok(()),
        }
    }
}

fn frame(text: &str) -> String {
    let shown = text.chars().take(LONGEST_FRAME);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}
