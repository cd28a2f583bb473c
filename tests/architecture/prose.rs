//! No program decides by what another has written for people: a text that is looked for is never part of what appctl says
//! itself, and the text of a journal entry is read in one place, to be shown.

use std::collections::BTreeMap;

use super::skip_literal;

/// Where a text is looked for in another.
const SEARCHES: [&str; 10] = [
    ".contains(",
    ".starts_with(",
    ".ends_with(",
    ".strip_prefix(",
    ".strip_suffix(",
    ".find(",
    ".rfind(",
    ".split_once(",
    ".matches(",
    "==",
];

/// The only files that name the field of a journal entry that holds its text: two write it, the last one shows it.
const TEXT_OF_ENTRIES: [&str; 3] = ["contract/note.rs", "contract/operation.rs", "observe/journal/mod.rs"];

/// Where the tests of a file begin.
const TESTS: &str = "#[cfg(test)]\nmod tests {";

/// The strings of a program, and which of them are looked for in other text.
#[derive(Default)]
struct Strings<'t> {
    all: Vec<&'t str>,
    sought: Vec<&'t str>,
}

/// Of everything before the tests of a file.
fn strings(text: &str) -> Strings<'_> {
    let code = text.split(TESTS).next().unwrap_or(text);
    let mut found = Strings::default();
    let (mut at, mut before) = (0, None);
    while let Some(c) = code[at..].chars().next() {
        let skipped = skip_literal(&code[at..], before);
        let literal = &code[at..at + skipped];
        if let Some(string) = content(literal) {
            found.all.push(string);
            let (left, right) = (&code[..at], &code[at + skipped..]);
            if is_sought(left.trim_end_matches(['&', 'b']).trim_end(), right) {
                found.sought.push(string);
            }
        }
        before = Some(if skipped > 0 { ' ' } else { c });
        at += skipped.max(c.len_utf8());
    }
    found
}

/// What stands between the quotes; `None` for comments and characters.
fn content(literal: &str) -> Option<&str> {
    let plain = literal.trim_start_matches('r').trim_matches('#');
    plain.strip_prefix('"')?.strip_suffix('"')
}

/// An argument of a search, or an arm of a match.
fn is_sought(left: &str, right: &str) -> bool {
    SEARCHES.iter().any(|search| left.ends_with(search))
        || ["=>", "|"].iter().any(|arm| right.trim_start().starts_with(arm))
}

/// More than a word.
fn is_phrase(text: &str) -> bool {
    text.contains(' ') && text.contains(|c: char| c.is_alphabetic())
}

/// A word of a grammar, which the same file writes and reads: `crashes 3`.
fn is_own_label(phrase: &str, strings: &Strings<'_>) -> bool {
    let mut others = strings.all.iter().filter(|string| !strings.sought.contains(string));
    !phrase.trim().contains(' ') && others.any(|string| string.contains(phrase))
}

/// Every phrase that a file looks for and another one says.
fn decisions(sources: &BTreeMap<String, String>) -> Vec<String> {
    let files: Vec<(&String, Strings<'_>)> = sources.iter().map(|(file, text)| (file, strings(text))).collect();
    let sayer = |file: &str, phrase: &str| {
        let others = files.iter().filter(|(other, _)| *other != file);
        let mut saying = others.filter(|(_, strings)| strings.all.iter().any(|string| string.contains(phrase)));
        saying.next().map(|(other, _)| (*other).clone())
    };
    let mut wrong = Vec::new();
    for (file, strings) in &files {
        let phrases = strings.sought.iter().filter(|text| is_phrase(text));
        for phrase in phrases.filter(|phrase| !is_own_label(phrase, strings)) {
            wrong.extend(sayer(file, phrase).map(|other| format!("{file} looks for {phrase:?}, which {other} says")));
        }
    }
    wrong
}

/// All but the files that are only tests.
fn sources() -> BTreeMap<String, String> {
    let mut sources = super::sources();
    sources.retain(|file, _| !file.ends_with("/tests.rs") && !file.contains("/tests/"));
    sources
}

#[test]
fn no_program_decides_by_what_another_says_to_people() {
    let wrong = decisions(&sources());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_text_of_a_journal_entry_is_read_in_one_place() {
    let sources = sources();
    let naming = sources
        .iter()
        .filter(|(_, text)| strings(text).all.contains(&"MESSAGE"))
        .map(|(file, _)| file.as_str());
    assert_eq!(naming.collect::<Vec<_>>(), TEXT_OF_ENTRIES);
}

#[test]
fn the_search_for_decisions_finds_what_it_is_for() {
    let said = "fn f() { format!(\"{n} requests were cut\") }";
    for looks in [
        "if line.contains(\"requests were cut\") {}",
        "let n = line.strip_suffix(\n    \" requests were cut\",\n)?;",
        "match line { \"{n} requests were cut\" => 1 }",
        "line.as_bytes().ends_with(b\" requests were cut\")",
        "line == \"{n} requests were cut\"",
        "line.strip_prefix(\"requests \")",
    ] {
        let sources = [("a.rs", looks), ("b.rs", said)].map(|(file, text)| (file.to_owned(), text.to_owned()));
        assert_eq!(decisions(&sources.into()).len(), 1, "{looks}");
    }
    for fine in [
        "line.contains(\"requests were lost\")",
        "// line.contains(\"requests were cut\")",
        "say(\"requests were cut\")",
        "line.contains(\"cut\")",
        "write!(f, \"; were {n}\"); rest.strip_prefix(\"were \")",
        "#[cfg(test)]\nmod tests { fn f() { line.contains(\"requests were cut\") } }",
    ] {
        let sources = [("a.rs", fine), ("b.rs", said)].map(|(file, text)| (file.to_owned(), text.to_owned()));
        assert_eq!(decisions(&sources.into()), [""; 0], "{fine}");
    }
}
