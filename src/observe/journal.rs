//! One line of `journalctl -o json`, systemd.journal-fields(7), in; what an app printed out.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::contract::Note;
use crate::spec::{AppName, Instance};

/// One entry that an instance of an app wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which app.
    pub app: AppName,
    /// Which instance.
    pub instance: Instance,
    /// Microseconds since 1970.
    pub time: u64,
    /// syslog(3) level: 6 for standard output, under 5 for standard error.
    pub priority: u8,
    /// Process that wrote it.
    pub pid: Option<u32>,
    /// The text, whatever bytes it was made of.
    pub message: String,
    /// Whether it looks like a note of a shim. Nothing is decided by that: see [`Noted`].
    pub is_note: bool,
}

/// A note, and who sent it: a field whose name begins with `_` is journald's own, and the kernel's word. Only that of a
/// run's main process is worth anything; an app can send the same under its own number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Invocation id of the run.
    pub run: String,
    /// The sender.
    pub pid: u32,
    /// What it says.
    pub note: Note,
}

impl Noted {
    /// Reads one line; `None` when there is no note in it.
    pub fn parse(line: &str) -> Option<Self> {
        let fields: BTreeMap<String, Field> = serde_json::from_str(line).ok()?;
        let text = |name: &str| fields.get(name).map(Field::text);
        text("_TRANSPORT").filter(|transport| transport == NATIVE)?;
        Some(Self {
            run: text("_SYSTEMD_INVOCATION_ID")?,
            pid: text("_PID")?.parse().ok()?,
            note: Note::from_fields(text)?,
        })
    }
}

/// `_TRANSPORT=` of entries that were sent with fields of their own.
const NATIVE: &str = "journal";

impl Entry {
    /// Highest level number that counts as standard error.
    const ERRORS_UP_TO: u8 = 4;

    /// Whether the app wrote it to standard error.
    pub fn is_error(&self) -> bool {
        self.priority <= Self::ERRORS_UP_TO
    }

    /// Reads one line; `None` when it is no entry of an instance.
    pub fn parse(line: &str) -> Option<Self> {
        let fields: BTreeMap<String, Field> = serde_json::from_str(line).ok()?;
        let text = |name: &str| fields.get(name).map(Field::text);
        let unit = text("_SYSTEMD_UNIT")?;
        let (app, instance) = unit.strip_suffix(".service")?.split_once('@')?;
        Some(Self {
            app: app.parse().ok()?,
            instance: instance.parse().ok()?,
            time: text("__REALTIME_TIMESTAMP")?.parse().ok()?,
            priority: text("PRIORITY").and_then(|level| level.parse().ok()).unwrap_or(6),
            pid: text("_PID").and_then(|pid| pid.parse().ok()),
            is_note: text("_TRANSPORT").as_deref() == Some(NATIVE) && Note::from_fields(text).is_some(),
            message: text("MESSAGE").unwrap_or_default(),
        })
    }
}

/// What a unit's program printed, out of one line of JSON; `None` for what systemd says while it prepares the program.
pub fn printed(line: &str) -> Option<String> {
    let fields: BTreeMap<String, Field> = serde_json::from_str(line).ok()?;
    let transport = fields.get("_TRANSPORT").map(Field::text)?;
    let message = fields.get("MESSAGE").map(Field::text).unwrap_or_default();
    Some(message).filter(|_| transport == "stdout")
}

/// A journal field: text, bytes that are no text, null when it is too large, or several of these.
struct Field(String);

impl Field {
    fn text(&self) -> String {
        self.0.clone()
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(as_text(&value)))
    }
}

fn as_text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(parts) => {
            let byte = |part: &serde_json::Value| part.as_u64().and_then(|byte| u8::try_from(byte).ok());
            match parts.iter().map(byte).collect::<Option<Vec<u8>>>() {
                Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                None => parts.first().map(as_text).unwrap_or_default(),
            }
        }
        _ => String::new(),
    }
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
    use super::{Entry, Note, Noted, printed, without_colours};
    use crate::spec::Instance;

    fn line(message: &str) -> String {
        format!(
            r#"{{"_SYSTEMD_UNIT":"my-app@2.service","__REALTIME_TIMESTAMP":"1795000000000000","PRIORITY":"3","_PID":"7","MESSAGE":{message}}}"#
        )
    }

    #[test]
    fn knows_who_wrote_a_line_and_where() {
        let entry = Entry::parse(&line(r#""boom""#)).expect("an entry");
        assert_eq!(
            (entry.app.as_str(), entry.instance, entry.pid),
            ("my-app", Instance::Number(2), Some(7))
        );
        assert!(entry.is_error());
        assert_eq!(entry.message, "boom");
    }

    #[test]
    fn a_note_is_read_with_its_sender_and_from_fields_only() {
        let id = crate::contract::MESSAGE_ID;
        let fields = format!(r#""MESSAGE_ID":"{id}","APPCTL_NOTE":"cut","APPCTL_REQUESTS":"3""#);
        let sender = r#""_PID":"7","_SYSTEMD_INVOCATION_ID":"ab","_TRANSPORT""#;
        let noted = Noted::parse(&format!(r#"{{{fields},{sender}:"journal"}}"#));
        let note = Note::Cut { requests: 3 };
        let run = "ab".to_owned();
        assert_eq!(noted, Some(Noted { run, pid: 7, note }));
        let text = r#""MESSAGE":"appctl: 3 requests were cut""#;
        for other in [
            format!(r#"{{{fields},{sender}:"stdout"}}"#),
            format!(r#"{{{text},{sender}:"journal"}}"#),
            format!(r#"{{{text},{sender}:"stdout"}}"#),
            format!("{{{fields}}}"),
        ] {
            assert_eq!(Noted::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn takes_bytes_that_are_no_text() {
        let entry = Entry::parse(&line("[104,105,255]")).expect("an entry");
        assert_eq!(entry.message, "hi\u{fffd}");
        assert_eq!(Entry::parse(&line("null")).expect("too large").message, "");
    }

    #[test]
    fn what_a_program_prints_is_told_from_what_systemd_says() {
        let line = |transport| format!(r#"{{"_TRANSPORT":"{transport}","MESSAGE":"hi"}}"#);
        assert_eq!(printed(&line("stdout")).as_deref(), Some("hi"));
        assert_eq!(printed(&line("journal")), None);
        assert_eq!(printed("{}"), None);
    }

    #[test]
    fn lines_of_other_units_are_not_an_apps() {
        for line in [
            "",
            "-- No entries --",
            "{}",
            r#"{"_SYSTEMD_UNIT":"ssh.service","__REALTIME_TIMESTAMP":"1"}"#,
        ] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
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
