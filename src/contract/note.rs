//! What a shim notes in the journal about its instance: one structured entry each, systemd.journal-fields(7). Whoever
//! decides by it reads the fields, and only of entries that the kernel says the main process has sent; the text is for
//! people and follows from the fields.

use std::fmt;

use super::Span;
use crate::spec::visible;

/// `MESSAGE_ID=` of all notes.
pub const MESSAGE_ID: &str = "270f16f997736b20db20246cbb05b5ed";
/// What the text begins with.
const PREFIX: &str = "appctl: ";

/// One note. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The app has proven itself, so long after its start.
    Ready {
        /// Since its start.
        after: u64,
    },
    /// The app ended, and nobody had asked it to.
    Crashed {
        /// Crashes in a row, this one included.
        crashes: u32,
        /// For people.
        reason: String,
    },
    /// The app did not prove itself in time.
    NotReady {
        /// For people.
        reason: String,
    },
    /// The next start is not due.
    BackingOff {
        /// Crashes in a row.
        crashes: u32,
        /// Until the start.
        wait: u64,
    },
    /// The app listens where its socket does not.
    WrongPort {
        /// Where.
        port: u16,
        /// What to do about it, for people.
        advice: String,
    },
    /// The time to finish requests is over.
    DrainDeadline {
        /// What was still in flight.
        in_flight: u32,
    },
    /// The time to stop is over: the app is killed.
    StopDeadline,
    /// Requests were finished while the instance ended.
    WaitedFor {
        /// How many.
        requests: u32,
    },
    /// Requests were not.
    Cut {
        /// How many.
        requests: u32,
    },
    /// The event loop stands still.
    Blocked {
        /// For so long.
        span: u64,
    },
    /// One line of its stack.
    Stack {
        /// As the app's process told it.
        line: String,
    },
    /// The event loop turns again.
    TurnsAgain {
        /// After so long.
        span: u64,
    },
}

/// Weight of an entry, as in syslog(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something failed.
    Error = 3,
    /// Something that should not be.
    Warning = 4,
    /// What happened.
    Info = 6,
}

impl Note {
    /// Its weight.
    pub fn level(&self) -> Level {
        match self {
            Self::Crashed { .. } | Self::NotReady { .. } | Self::Blocked { .. } | Self::Stack { .. } => Level::Error,
            Self::BackingOff { .. }
            | Self::WrongPort { .. }
            | Self::DrainDeadline { .. }
            | Self::StopDeadline
            | Self::Cut { .. }
            | Self::TurnsAgain { .. } => Level::Warning,
            Self::Ready { .. } | Self::WaitedFor { .. } => Level::Info,
        }
    }

    /// The line for people.
    pub fn message(&self) -> String {
        format!("{PREFIX}{}", visible(&self.to_string()))
    }

    /// All fields of the entry.
    pub fn to_fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("MESSAGE_ID", MESSAGE_ID.to_owned()),
            ("MESSAGE", self.message()),
            ("PRIORITY", (self.level() as u8).to_string()),
            ("APPCTL_NOTE", self.kind().to_owned()),
        ];
        let crashes = |count: &u32| ("APPCTL_CRASHES", count.to_string());
        let requests = |count: &u32| ("APPCTL_REQUESTS", count.to_string());
        let span = |span: &u64| ("APPCTL_MS", span.to_string());
        let text = |text: &String| ("APPCTL_TEXT", text.clone());
        fields.extend(match self {
            Self::Ready { after: ms } | Self::Blocked { span: ms } | Self::TurnsAgain { span: ms } => vec![span(ms)],
            Self::Crashed { crashes: count, reason } => vec![crashes(count), text(reason)],
            Self::NotReady { reason: line } | Self::Stack { line } => vec![text(line)],
            Self::BackingOff { crashes: count, wait } => vec![crashes(count), span(wait)],
            Self::WrongPort { port, advice } => vec![("APPCTL_PORT", port.to_string()), text(advice)],
            Self::DrainDeadline { in_flight: count }
            | Self::WaitedFor { requests: count }
            | Self::Cut { requests: count } => {
                vec![requests(count)]
            }
            Self::StopDeadline => Vec::new(),
        });
        fields
    }

    /// The note in an entry whose fields `get` reads; `None` when there is none.
    pub fn from_fields(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        get("MESSAGE_ID").filter(|id| id == MESSAGE_ID)?;
        let crashes = || get("APPCTL_CRASHES")?.parse().ok();
        let requests = || get("APPCTL_REQUESTS")?.parse().ok();
        let span = || get("APPCTL_MS")?.parse().ok();
        let text = || get("APPCTL_TEXT");
        Some(match get("APPCTL_NOTE")?.as_str() {
            "ready" => Self::Ready { after: span()? },
            "crashed" => Self::Crashed {
                crashes: crashes()?,
                reason: text()?,
            },
            "not-ready" => Self::NotReady { reason: text()? },
            "backing-off" => Self::BackingOff {
                crashes: crashes()?,
                wait: span()?,
            },
            "wrong-port" => Self::WrongPort {
                port: get("APPCTL_PORT")?.parse().ok()?,
                advice: text()?,
            },
            "drain-deadline" => Self::DrainDeadline { in_flight: requests()? },
            "stop-deadline" => Self::StopDeadline,
            "waited-for" => Self::WaitedFor { requests: requests()? },
            "cut" => Self::Cut { requests: requests()? },
            "blocked" => Self::Blocked { span: span()? },
            "stack" => Self::Stack { line: text()? },
            "turns-again" => Self::TurnsAgain { span: span()? },
            _ => return None,
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Crashed { .. } => "crashed",
            Self::NotReady { .. } => "not-ready",
            Self::BackingOff { .. } => "backing-off",
            Self::WrongPort { .. } => "wrong-port",
            Self::DrainDeadline { .. } => "drain-deadline",
            Self::StopDeadline => "stop-deadline",
            Self::WaitedFor { .. } => "waited-for",
            Self::Cut { .. } => "cut",
            Self::Blocked { .. } => "blocked",
            Self::Stack { .. } => "stack",
            Self::TurnsAgain { .. } => "turns-again",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { after } => write!(f, "ready after {}", Span(*after)),
            Self::Crashed { reason: text, .. }
            | Self::NotReady { reason: text }
            | Self::WrongPort { advice: text, .. } => f.write_str(text),
            Self::BackingOff { crashes, wait } => {
                write!(f, "{crashes} crashes in a row: next start in {}", Span(*wait))
            }
            Self::DrainDeadline { in_flight } => write!(f, "drain deadline: {in_flight} requests still in flight"),
            Self::StopDeadline => f.write_str("stop deadline: killing the app"),
            Self::WaitedFor { requests } => write!(f, "{requests} requests were waited for"),
            Self::Cut { requests } => write!(f, "{requests} requests were cut"),
            Self::Blocked { span } => write!(f, "the event loop has been blocked for {}, its stack:", Span(*span)),
            Self::Stack { line } => write!(f, "    {line}"),
            Self::TurnsAgain { span } => {
                write!(
                    f,
                    "the event loop runs again after {}: the app was not killed",
                    Span(*span)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Note;

    fn any_note() -> impl Strategy<Value = Note> {
        let text = || any::<String>();
        prop_oneof![
            any::<u64>().prop_map(|after| Note::Ready { after }),
            (any::<u32>(), text()).prop_map(|(crashes, reason)| Note::Crashed { crashes, reason }),
            text().prop_map(|reason| Note::NotReady { reason }),
            any::<(u32, u64)>().prop_map(|(crashes, wait)| Note::BackingOff { crashes, wait }),
            (any::<u16>(), text()).prop_map(|(port, advice)| Note::WrongPort { port, advice }),
            any::<u32>().prop_map(|in_flight| Note::DrainDeadline { in_flight }),
            Just(Note::StopDeadline),
            any::<u32>().prop_map(|requests| Note::WaitedFor { requests }),
            any::<u32>().prop_map(|requests| Note::Cut { requests }),
            any::<u64>().prop_map(|span| Note::Blocked { span }),
            text().prop_map(|line| Note::Stack { line }),
            any::<u64>().prop_map(|span| Note::TurnsAgain { span }),
        ]
    }

    proptest! {
        #[test]
        fn what_the_shim_writes_is_read_back(note in any_note()) {
            let fields = note.to_fields();
            let map: BTreeMap<&str, String> = fields.iter().cloned().collect();
            prop_assert_eq!(map.len(), fields.len(), "a field twice");
            prop_assert_eq!(Note::from_fields(|name| map.get(name).cloned()), Some(note));
        }
    }

    #[test]
    fn the_text_alone_is_no_note() {
        let entry = |pairs: &[(&str, &str)]| {
            let map: BTreeMap<&str, &str> = pairs.iter().copied().collect();
            Note::from_fields(|name| map.get(name).map(ToString::to_string))
        };
        let ours = ("MESSAGE_ID", super::MESSAGE_ID);
        assert_eq!(entry(&[("MESSAGE", "appctl: 3 requests were cut")]), None);
        assert_eq!(entry(&[ours, ("MESSAGE", "appctl: 3 requests were cut")]), None);
        assert_eq!(entry(&[ours, ("APPCTL_NOTE", "cut"), ("APPCTL_REQUESTS", "-3")]), None);
        assert_eq!(entry(&[("APPCTL_NOTE", "cut"), ("APPCTL_REQUESTS", "3")]), None);
        let cut = entry(&[ours, ("APPCTL_NOTE", "cut"), ("APPCTL_REQUESTS", "3")]);
        assert_eq!(cut, Some(Note::Cut { requests: 3 }));
    }
}
