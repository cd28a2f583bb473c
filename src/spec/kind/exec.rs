//! What the app runs: a command line, or an array of words.

use toml::Spanned;
use toml::de::DeValue;

use crate::spec::env;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, type_of};
use crate::spec::problem::Findings;
use crate::spec::words;

/// Words of the shell that are no programs.
const SHELL_WORDS: [&str; 10] = [
    ".", "cd", "eval", "exec", "export", "if", "set", "source", "ulimit", "unset",
];

/// A string that is split like a shell but never given to one, or an array taken as it is.
pub(in crate::spec) struct Exec;

impl Kind for Exec {
    type Value = Vec<String>;

    fn what(&self) -> String {
        "a command such as \"node server.js\" or [\"node\", \"server.js\"]".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Vec<String>> {
        let words = match given.value.get_ref() {
            DeValue::Array(items) => as_given(items, given.key, findings)?,
            _ => split(given, given.text(&self.what(), findings)?, findings)?,
        };
        match fault(&words) {
            None => return Some(words),
            Some((why, help)) => given.advise(why, help, findings),
        }
        None
    }

    fn schema(&self) -> Json {
        let word = Json::Object(vec![("type", Json::text("string"))]);
        Json::any_of([
            Json::Object(vec![("type", Json::text("string")), ("minLength", Json::Number(1))]),
            Json::Object(vec![
                ("type", Json::text("array")),
                ("items", word),
                ("minItems", Json::Number(1)),
            ]),
        ])
    }
}

fn as_given(items: &[Spanned<DeValue<'_>>], key: &str, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    let word = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        other => {
            let message = format!("each word of `{key}` must be a string, not {}", type_of(other));
            findings.advise(item.span(), message, "write it in quotes");
            None
        }
    };
    let words: Vec<_> = items.iter().filter_map(word).collect();
    (words.len() == items.len()).then_some(words)
}

fn split(given: &Given<'_>, text: &str, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    let span = given.value.span();
    let (words, errors) = words::scan(text);
    let whole = errors.is_empty();
    let start = findings.content_start(&span, text);
    for error in errors {
        let at = start.map_or(span.clone(), |start| start + error.at.start..start + error.at.end);
        findings.advise(at, format!("`{}`: {}", given.key, error.kind), error.kind.help());
    }
    whole.then_some(words)
}

/// What is wrong with words that a shell would have taken, and what to do.
fn fault(words: &[String]) -> Option<(String, &'static str)> {
    let Some(program) = words.first().filter(|program| !program.is_empty()) else {
        return Some((
            "no program is named".to_owned(),
            "write the program and its arguments: \"node server.js\"",
        ));
    };
    if program.chars().any(char::is_control) {
        return Some((
            "the program's name contains a control character".to_owned(),
            "remove that character",
        ));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Some(("an argument cannot contain a NUL character".to_owned(), "remove it"));
    }
    if words.iter().map(|word| word.len() + 1).sum::<usize>() > env::LONGEST {
        return Some((
            "the words have more than 128 KiB together".to_owned(),
            "put them into a file that the app reads",
        ));
    }
    if SHELL_WORDS.contains(&program.as_str()) {
        let why = format!("`{program}` is a shell command, not a program, and no shell runs this");
        return Some((
            why,
            "name the program itself; its directory goes into `directory`, its variables into [env]",
        ));
    }
    None
}
