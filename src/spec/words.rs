//! Splits a command line into words as a shell does, and refuses what only a shell could carry out: no shell runs it.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use super::words_error::{WordsError, WordsErrorKind};

/// How far the end of `${…` and the like is looked for, so that a hostile text stays linear.
const LONGEST_NAME: usize = 80;

/// The words of a command line: quotes and backslashes as in a shell, nothing else of one.
///
/// # Errors
/// The first thing that only a shell could carry out.
pub fn split_words(text: &str) -> Result<Vec<String>, WordsError> {
    let (words, errors) = scan(text);
    errors.into_iter().next().map_or(Ok(words), Err)
}

/// A command line that [`split_words`] takes apart into these words again.
pub fn quote_words<S: AsRef<str>>(words: &[S]) -> String {
    let quoted = words
        .iter()
        .enumerate()
        .map(|(nth, word)| quote(word.as_ref(), nth == 0));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Whether a word means itself without quotes.
pub(super) fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c))
}

fn quote(word: &str, first: bool) -> String {
    if is_plain(word) && !(first && word.contains('=')) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// All words and everything that needs a shell.
pub(super) fn scan(text: &str) -> (Vec<String>, Vec<WordsError>) {
    let chars = text.char_indices().peekable();
    let mut scan = Scan {
        text,
        chars,
        words: Vec::new(),
        word: None,
        line: None,
        errors: Vec::new(),
    };
    while let Some((at, c)) = scan.chars.next() {
        scan.take(at, c);
    }
    scan.end_word();
    (scan.words, scan.errors)
}

struct Scan<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    words: Vec<String>,
    /// The word being read, and where it begins.
    word: Option<(usize, String)>,
    /// A line break after the first word.
    line: Option<usize>,
    errors: Vec<WordsError>,
}

impl Scan<'_> {
    fn take(&mut self, at: usize, c: char) {
        match c {
            ' ' | '\t' | '\r' => self.end_word(),
            '\n' => self.end_line(at),
            '\'' => self.single_quoted(at),
            '"' => self.double_quoted(at),
            '\\' => self.escaped(at),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' => self.operator(at),
            '`' => self.command(at),
            '$' => self.variable(at),
            '*' => self.refuse(at..at + 1, WordsErrorKind::Glob),
            '~' if self.word.is_none() => {
                self.refuse(at..at + 1, WordsErrorKind::Home);
                self.push(at, c);
            }
            '#' if self.word.is_none() => self.comment(at),
            _ => self.push(at, c),
        }
    }

    fn push(&mut self, at: usize, c: char) {
        self.open(at).push(c);
    }

    fn open(&mut self, at: usize) -> &mut String {
        if let (None, Some(line)) = (&self.word, self.line.take()) {
            self.refuse(line..line + 1, WordsErrorKind::Line);
        }
        &mut self.word.get_or_insert_with(|| (at, String::new())).1
    }

    fn refuse(&mut self, at: Range<usize>, kind: WordsErrorKind) {
        self.errors.push(WordsError { at, kind });
    }

    fn end_word(&mut self) {
        let Some((start, word)) = self.word.take() else { return };
        let first = self.words.is_empty();
        match first.then(|| assigned(&self.text[start..])).flatten() {
            Some(name) => {
                let at = start..start + name.len() + 1;
                self.refuse(at, WordsErrorKind::Assignment(name.to_owned()));
            }
            None => self.words.push(word),
        }
    }

    fn end_line(&mut self, at: usize) {
        self.end_word();
        if !self.words.is_empty() {
            self.line.get_or_insert(at);
        }
    }

    fn single_quoted(&mut self, at: usize) {
        self.open(at);
        loop {
            match self.chars.next() {
                Some((_, '\'')) => return,
                Some((_, c)) => self.push(at, c),
                None => return self.refuse(at..at + 1, WordsErrorKind::Unclosed),
            }
        }
    }

    fn double_quoted(&mut self, at: usize) {
        self.open(at);
        loop {
            match self.chars.next() {
                Some((_, '"')) => return,
                Some((here, '$')) => self.variable(here),
                Some((here, '`')) => self.command(here),
                Some((here, '\\')) => self.escaped_in_quotes(here),
                Some((_, c)) => self.push(at, c),
                None => return self.refuse(at..at + 1, WordsErrorKind::Unclosed),
            }
        }
    }

    /// Between double quotes a backslash stands for itself except before what it can escape.
    fn escaped_in_quotes(&mut self, at: usize) {
        match self.chars.peek() {
            Some((_, '"' | '\\' | '$' | '`' | '\n')) => self.escaped(at),
            _ => self.push(at, '\\'),
        }
    }

    fn escaped(&mut self, at: usize) {
        match self.chars.next() {
            Some((_, '\n')) => {}
            Some((_, c)) => self.push(at, c),
            None => self.refuse(at..at + 1, WordsErrorKind::Dangling),
        }
    }

    fn operator(&mut self, at: usize) {
        self.end_word();
        let mut end = at + 1;
        while let Some((next, _)) = self.chars.next_if(|(_, c)| "|&;<>()".contains(*c)) {
            end = next + 1;
        }
        self.refuse(at..end, WordsErrorKind::Operator(self.text[at..end].to_owned()));
    }

    fn command(&mut self, at: usize) {
        let long = 1 + closed_by('`', &self.text[at + 1..]);
        self.skip(at, at + long, WordsErrorKind::Command);
    }

    /// Refuses a part and goes on behind it.
    fn skip(&mut self, at: usize, end: usize, kind: WordsErrorKind) {
        self.open(at);
        while self.chars.next_if(|(next, _)| *next < end).is_some() {}
        self.refuse(at..end, kind);
    }

    /// `$NAME`, `${…}`, `$(…)`, `$1`, `$@`; a dollar before anything else stands for itself.
    fn variable(&mut self, at: usize) {
        let rest = &self.text[at + 1..];
        let name = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
                .len();
        let long = match rest.chars().next() {
            Some('{') => closed_by('}', rest).max(1),
            Some('(') => closed_by(')', rest).max(1),
            Some('@' | '*' | '#' | '?' | '$' | '!' | '-') => 1,
            _ => name,
        };
        if long == 0 {
            return self.push(at, '$');
        }
        let end = at + 1 + long;
        self.skip(at, end, WordsErrorKind::Variable(self.text[at..end].to_owned()));
    }

    fn comment(&mut self, at: usize) {
        self.refuse(at..at + 1, WordsErrorKind::Comment);
        while self.chars.next_if(|(_, c)| *c != '\n').is_some() {}
    }
}

/// Bytes up to and with a closing character that is not far; 0 without one.
fn closed_by(close: char, text: &str) -> usize {
    let near = &text[..text.floor_char_boundary(LONGEST_NAME)];
    near.find(close).map_or(0, |end| end + close.len_utf8())
}

/// The name in an unquoted leading `NAME=`.
fn assigned(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('=')?;
    super::env::is_variable_name(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{WordsErrorKind, quote_words, scan, split_words};

    fn words(text: &str) -> Vec<String> {
        split_words(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn first_error(text: &str) -> WordsErrorKind {
        split_words(text).expect_err(text).kind
    }

    #[test]
    fn splits_as_a_shell_does() {
        assert_eq!(words("node server.js"), ["node", "server.js"]);
        assert_eq!(words("  a\t b \r\n"), ["a", "b"]);
        assert_eq!(words(r#"a 'b c' "d e" f\ g"#), ["a", "b c", "d e", "f g"]);
        assert_eq!(words(r#"a '' "" x''y"#), ["a", "", "", "xy"]);
        assert_eq!(
            words(r#"'$HOME' "\$x \" \n" \* a#b x~ a=b"#),
            ["$HOME", r#"$x " \n"#, "*", "a#b", "x~", "a=b"]
        );
        assert_eq!(words("a \\\n b"), ["a", "b"]);
        assert_eq!(words("grep x$ 10$"), ["grep", "x$", "10$"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn refuses_what_only_a_shell_does() {
        assert_eq!(first_error("a | b"), WordsErrorKind::Operator("|".into()));
        assert_eq!(first_error("a && b"), WordsErrorKind::Operator("&&".into()));
        assert_eq!(first_error("a 2>&1"), WordsErrorKind::Operator(">&".into()));
        assert_eq!(first_error("a --port=$PORT"), WordsErrorKind::Variable("$PORT".into()));
        assert_eq!(
            first_error("a \"${HOME}/x\""),
            WordsErrorKind::Variable("${HOME}".into())
        );
        assert_eq!(first_error("a $(date)"), WordsErrorKind::Variable("$(date)".into()));
        assert_eq!(first_error("a \"`date`\""), WordsErrorKind::Command);
        assert_eq!(first_error("a *.js"), WordsErrorKind::Glob);
        assert_eq!(first_error("~/bin/a"), WordsErrorKind::Home);
        assert_eq!(first_error("a # b"), WordsErrorKind::Comment);
        assert_eq!(first_error("A=1 a"), WordsErrorKind::Assignment("A".into()));
        assert_eq!(first_error("a\nb"), WordsErrorKind::Line);
        assert_eq!(first_error("a 'b"), WordsErrorKind::Unclosed);
        assert_eq!(first_error("a \"b"), WordsErrorKind::Unclosed);
        assert_eq!(first_error("a \\"), WordsErrorKind::Dangling);
    }

    #[test]
    fn finds_all_of_it_at_once() {
        let (_, errors) = scan("A=1 B=2 node x $PORT | tee ~/log");
        let at: Vec<_> = errors.iter().map(|error| error.at.clone()).collect();
        assert_eq!(at, [0..2, 4..6, 15..20, 21..22, 27..28]);
    }

    #[test]
    fn quoted_words_come_back() {
        let list = ["a=b", "", "it's", "$x", "~", "#", "a b", "é", "\n", "\\"];
        assert_eq!(words(&quote_words(&list)), list);
        assert_eq!(
            quote_words(&["node", "server.js", "--port=3000"]),
            "node server.js --port=3000"
        );
    }
}
