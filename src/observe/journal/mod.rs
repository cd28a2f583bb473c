//! What an app printed, out of the journal, systemd.journal-fields(7). Pure.

use crate::contract::{Note, Operation};
use crate::spec::{AppName, Instance};

mod export;

pub use export::{Fields, KEPT, Malformed, Reader, Value};

/// The fields that are asked for; time and cursor come with every entry.
pub const FIELDS: [&str; 20] = [
    "APPCTL_APP",
    "APPCTL_BY",
    "APPCTL_CRASHES",
    "APPCTL_EXIT",
    "APPCTL_FROM",
    "APPCTL_MS",
    "APPCTL_NOTE",
    "APPCTL_PORT",
    "APPCTL_REQUESTS",
    "APPCTL_TEXT",
    "APPCTL_TO",
    "APPCTL_VERB",
    "MESSAGE",
    "MESSAGE_ID",
    "PRIORITY",
    "_PID",
    "_SYSTEMD_INVOCATION_ID",
    "_SYSTEMD_UNIT",
    "_TRANSPORT",
    "_UID",
];

/// What an app, or its shim, said in one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The text, or its beginning, with bytes that are not UTF-8 replaced.
    pub text: String,
    /// Its whole size in bytes, where that is more.
    pub cut_from: Option<u64>,
}

impl Message {
    fn of(fields: &Fields) -> Self {
        let (text, cut_from) = fields.get("MESSAGE").map(Value::text).unwrap_or_default();
        Self { text, cut_from }
    }

    /// At most so many bytes of it for people, without the app's colours; what is left out is said.
    pub fn shown(&self, most: usize) -> String {
        let plain = without_colours(&self.text);
        let end = plain.floor_char_boundary(most);
        let size = self.cut_from.unwrap_or(self.text.len() as u64);
        if self.cut_from.is_none() && end == plain.len() {
            return plain;
        }
        format!("{} … ({size} bytes in all)", &plain[..end])
    }
}

/// One entry that an instance of an app wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The app whose unit wrote it.
    pub app: AppName,
    /// The instance whose unit wrote it.
    pub instance: Instance,
    /// When journald received it, in microseconds since 1970.
    pub time: u64,
    /// syslog(3) level: 6 for standard output, under 5 for standard error.
    pub priority: u8,
    /// The process that wrote it, as the kernel names it.
    pub pid: Option<u32>,
    /// The text.
    pub message: Message,
    /// Whether it looks like a note of a shim. Nothing is decided by that: see [`Noted`].
    pub is_note: bool,
}

/// A note, and who sent it: a field whose name begins with `_` is journald's own, and the kernel's word. Only that of a
/// run's main process is worth anything; an app can send the same under its own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Invocation id of the run.
    pub run: String,
    /// The process that sent it, as the kernel names it.
    pub pid: u32,
    /// The note, read from the entry's fields.
    pub note: Note,
}

impl Noted {
    /// Reads one entry; `None` when there is no note in it.
    pub fn of(fields: &Fields) -> Option<Self> {
        Some(Self {
            run: fields.short("_SYSTEMD_INVOCATION_ID")?,
            pid: fields.short("_PID")?.parse().ok()?,
            note: note(fields)?,
        })
    }
}

/// What an operator did with an app, and when. Any account can send the same fields; only root's are believed, and the
/// kernel says whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operated {
    /// Microseconds since 1970.
    pub time: u64,
    /// What it was.
    pub operation: Operation,
}

impl Operated {
    /// Reads one entry; `None` when there is no operation in it.
    pub fn of(fields: &Fields) -> Option<Self> {
        fields.short("_UID").filter(|account| account == "0")?;
        fields.short("_TRANSPORT").filter(|transport| transport == "journal")?;
        Some(Self {
            time: fields.short("__REALTIME_TIMESTAMP")?.parse().ok()?,
            operation: Operation::from_fields(|name| fields.short(name))?,
        })
    }
}

/// Only of an entry that was sent with fields of its own.
fn note(fields: &Fields) -> Option<Note> {
    fields.short("_TRANSPORT").filter(|transport| transport == "journal")?;
    Note::from_fields(|name| fields.short(name))
}

impl Entry {
    /// Highest level number that counts as standard error.
    const ERRORS_UP_TO: u8 = 4;

    /// Whether the app wrote it to standard error.
    pub fn is_error(&self) -> bool {
        self.priority <= Self::ERRORS_UP_TO
    }

    /// Reads one entry; `None` when it is none of an instance.
    pub fn of(fields: &Fields) -> Option<Self> {
        let unit = fields.short("_SYSTEMD_UNIT")?;
        let (app, instance) = unit.strip_suffix(".service")?.split_once('@')?;
        let number = |name: &str| fields.short(name)?.parse().ok();
        Some(Self {
            app: app.parse().ok()?,
            instance: instance.parse().ok()?,
            time: fields.short("__REALTIME_TIMESTAMP")?.parse().ok()?,
            priority: number("PRIORITY")
                .and_then(|level: u32| level.try_into().ok())
                .unwrap_or(6),
            pid: number("_PID"),
            message: Message::of(fields),
            is_note: note(fields).is_some(),
        })
    }
}

/// What a unit's program printed; `None` for what systemd says while it prepares the program.
pub fn printed(fields: &Fields) -> Option<Message> {
    (fields.short("_TRANSPORT")? == "stdout").then(|| Message::of(fields))
}

/// Where in the journal an entry is, for journalctl(1).
pub fn cursor(fields: &Fields) -> Option<String> {
    fields.short("__CURSOR")
}

/// Text without the colours that an app gave it (`ESC [ digits ; … m`), as journalctl(1) shows it. Other escape sequences
/// stay, to be seen where it is printed.
pub fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = colour(sequence).unwrap_or(sequence);
        if rest.len() == sequence.len() {
            out.push_str("\u{1b}[");
        }
    }
    out + rest
}

/// What follows a colour sequence whose parameters are at the front.
fn colour(parameters: &str) -> Option<&str> {
    let behind = parameters.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    behind.strip_prefix('m')
}

#[cfg(test)]
mod tests {
    use super::{Entry, Fields, KEPT, Note, Noted, Operated, Operation, printed, without_colours};
    use crate::contract::Releases;
    use crate::spec::Instance;

    fn entry(message: &[u8]) -> Fields {
        [
            ("_SYSTEMD_UNIT", "my-app@2.service"),
            ("__REALTIME_TIMESTAMP", "1795000000000000"),
            ("PRIORITY", "3"),
            ("_PID", "7"),
        ]
        .iter()
        .fold(Fields::default().with("MESSAGE", message), |fields, (name, value)| {
            fields.with(name, value.as_bytes())
        })
    }

    #[test]
    fn knows_who_wrote_a_line_and_where() {
        let entry = Entry::of(&entry(b"boom")).expect("an entry");
        assert_eq!(
            (entry.app.as_str(), entry.instance, entry.pid),
            ("my-app", Instance::Number(2), Some(7))
        );
        assert!(entry.is_error());
        assert_eq!(entry.message.text, "boom");
    }

    #[test]
    fn a_note_is_read_with_its_sender_and_from_fields_only() {
        let sent = |transport: &str| {
            let sender = [
                ("_PID", "7"),
                ("_SYSTEMD_INVOCATION_ID", "ab"),
                ("_TRANSPORT", transport),
            ];
            let add = |fields: Fields, (name, value): (&str, &str)| fields.with(name, value.as_bytes());
            sender.into_iter().fold(Fields::default(), add)
        };
        let note = Note::Cut { requests: 3 };
        let noted = |fields: Fields| {
            let fields = note
                .to_fields()
                .iter()
                .fold(fields, |fields, (name, value)| fields.with(name, value.as_bytes()));
            Noted::of(&fields)
        };
        let run = "ab".to_owned();
        let note = note.clone();
        assert_eq!(noted(sent("journal")), Some(Noted { run, pid: 7, note }));
        assert_eq!(noted(sent("stdout")), None);
        assert_eq!(noted(Fields::default()), None);
        let text = sent("journal").with("MESSAGE", b"appctl: 3 requests were cut");
        assert_eq!(Noted::of(&text), None);
    }

    #[test]
    fn every_field_of_a_note_is_asked_for() {
        let (reason, advice) = (String::new(), String::new());
        for note in [
            Note::Cut { requests: 3 },
            Note::Crashed { crashes: 1, reason },
            Note::BackingOff { crashes: 1, wait: 2 },
            Note::WrongPort { port: 3, advice },
        ] {
            assert!(note.to_fields().iter().all(|(name, _)| super::FIELDS.contains(name)));
        }
    }

    #[test]
    fn an_operation_is_believed_of_root_only() {
        let operation = Operation {
            app: "web".parse().expect("a name"),
            verb: "deploy".to_owned(),
            by: "ann".to_owned(),
            releases: Some(Releases {
                from: Some("a".to_owned()),
                to: "b".to_owned(),
            }),
            exit: 4,
        };
        let own = operation.to_fields();
        let read = ["MESSAGE_ID", "APPCTL_"];
        let asked = |name: &str| super::FIELDS.contains(&name);
        assert!(
            own.iter()
                .all(|(name, _)| asked(name) || !read.iter().any(|prefix| name.starts_with(prefix)))
        );
        let sent = |uid: &str, transport: &str| {
            let sender = [("_UID", uid), ("_TRANSPORT", transport), ("__REALTIME_TIMESTAMP", "7")];
            let own = own.iter().map(|(name, value)| (*name, value.as_str()));
            let add = |fields: Fields, (name, value): (&str, &str)| fields.with(name, value.as_bytes());
            Operated::of(&sender.into_iter().chain(own).fold(Fields::default(), add))
        };
        let time = 7;
        assert_eq!(
            sent("0", "journal"),
            Some(Operated {
                time,
                operation: operation.clone()
            })
        );
        assert_eq!(
            [sent("1000", "journal"), sent("", "journal"), sent("0", "stdout")],
            [None, None, None]
        );
    }

    #[test]
    fn takes_bytes_that_are_no_text() {
        let entry = Entry::of(&entry(b"hi\xff")).expect("an entry");
        assert_eq!(entry.message.text, "hi\u{fffd}");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let said = |message: &[u8], most| Entry::of(&entry(message)).expect("an entry").message.shown(most);
        assert_eq!(said("\u{1b}[1mhé\u{1b}[m".as_bytes(), 3), "hé");
        assert_eq!(said("hé".as_bytes(), 2), "h … (3 bytes in all)");
        let large = said(&vec![b'x'; 3 * KEPT], KEPT);
        assert!(large.len() < KEPT + 40 && large.ends_with("x … (196608 bytes in all)"));
    }

    #[test]
    fn what_a_program_prints_is_told_from_what_systemd_says() {
        let fields = |transport: &str| {
            Fields::default()
                .with("_TRANSPORT", transport.as_bytes())
                .with("MESSAGE", b"hi")
        };
        assert_eq!(
            printed(&fields("stdout")).map(|message| message.text).as_deref(),
            Some("hi")
        );
        assert_eq!(printed(&fields("journal")), None);
        assert_eq!(printed(&Fields::default()), None);
    }

    #[test]
    fn entries_of_other_units_are_not_an_apps() {
        let other = Fields::default()
            .with("_SYSTEMD_UNIT", b"ssh.service")
            .with("__REALTIME_TIMESTAMP", b"1");
        assert_eq!(Entry::of(&other), None);
        assert_eq!(Entry::of(&Fields::default()), None);
    }

    #[test]
    fn colours_are_taken_away_and_nothing_else() {
        for (text, plain) in [
            ("\u{1b}[1;31mred\u{1b}[0m, \u{1b}[mplain", "red, plain"),
            ("\u{1b}[2J\u{1b}[31\u{1b}]0;x\u{7}", "\u{1b}[2J\u{1b}[31\u{1b}]0;x\u{7}"),
            ("\u{1b}[", "\u{1b}["),
        ] {
            assert_eq!(without_colours(text), plain);
        }
    }
}
