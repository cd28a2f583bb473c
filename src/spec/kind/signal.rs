//! The app's own stop signal, signal(7): only those a program takes as "finish and go".

use toml::de::DeValue;

use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, decimal};
use crate::spec::problem::Findings;
use crate::spec::suggest;

/// Names and numbers on Linux, all architectures we ship.
const STOPPING: [(&str, i32); 7] = [
    ("SIGTERM", 15),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGHUP", 1),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGWINCH", 28),
];

/// `SIGTERM`, `TERM` or `15`.
pub(in crate::spec) struct StopSignal;

impl Kind for StopSignal {
    type Value = i32;

    fn what(&self) -> String {
        "a signal such as \"SIGTERM\"".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<i32> {
        let text = match given.value.get_ref() {
            DeValue::Integer(number) => decimal(number),
            _ => given.text(&self.what(), findings)?.to_owned(),
        };
        let known = STOPPING.into_iter().find(|(name, number)| {
            *name == text || name.strip_prefix("SIG") == Some(&text) || number.to_string() == text
        });
        if known.is_none() {
            refuse(given, &text, findings);
        }
        known.map(|(_, number)| number)
    }

    fn schema(&self) -> Json {
        let names = Json::texts(STOPPING.map(|(name, _)| name));
        let numbers = STOPPING.map(|(_, number)| Json::Number(u64::from(number.unsigned_abs())));
        Json::any_of([
            Json::Object(vec![("enum", names)]),
            Json::Object(vec![("enum", Json::List(numbers.to_vec()))]),
            Json::pattern("^(TERM|INT|QUIT|HUP|USR1|USR2|WINCH|[0-9]+)$"),
        ])
    }
}

fn refuse(given: &Given<'_>, text: &str, findings: &mut Findings<'_>) {
    if matches!(text, "SIGKILL" | "KILL" | "9") {
        let help = "remove the line, or shorten `timeout`";
        return given.advise("SIGKILL is sent in any case when `timeout` is over", help, findings);
    }
    let names = STOPPING.map(|(name, _)| name);
    let help = match suggest::nearest(names, text) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("use one of {}", names.join(", ")),
    };
    given.advise(
        format_args!("{text:?} is not a signal that stops an app"),
        help,
        findings,
    );
}
