//! One mistake in a file, and the collection of all of them. Knows offsets only; how it looks is the program's affair.

use std::fmt;
use std::ops::Range;

/// One mistake: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Byte offsets into the text, on character boundaries.
    pub span: Range<usize>,
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// Most problems reported of one file; the last then counts the others.
    pub const MOST: usize = 100;

    /// A problem without advice.
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }

    /// Line and column of its beginning, both from 1, the column in characters.
    pub fn position(&self, text: &str) -> (usize, usize) {
        let before = &text[..text.floor_char_boundary(self.span.start)];
        let line = before.rsplit('\n').next().unwrap_or("").trim_start_matches('\u{feff}');
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

/// The problems found so far in one text.
pub(super) struct Findings<'t> {
    text: &'t str,
    list: Vec<Problem>,
    /// How many are syntax errors; with any, what is absent or disagrees may only have been lost.
    syntax: usize,
}

impl<'t> Findings<'t> {
    pub(super) fn new(text: &'t str, syntax: Vec<Problem>) -> Self {
        Self {
            text,
            syntax: syntax.len(),
            list: syntax,
        }
    }

    /// Notes what is wrong with a value by itself.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.list.push(Problem::new(span, message));
    }

    /// Notes what is wrong with a value by itself, and what to write instead.
    pub(super) fn advise(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.list.push(Problem {
            help: Some(help.into()),
            ..Problem::new(span, message)
        });
    }

    /// Notes what is wrong between values; kept back while the syntax is broken.
    pub(super) fn rule(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        if self.syntax == 0 {
            self.advise(span, message, help);
        }
    }

    /// Whether an unknown key was probably meant to be this one, which is then not missing as well.
    pub(super) fn suggested(&self, key: &str) -> bool {
        let advice = super::suggest::did_you_mean(key);
        self.list.iter().any(|problem| problem.help.as_ref() == Some(&advice))
    }

    /// Where the content of a string begins in the text; `None` when escapes make it read otherwise than it is written.
    pub(super) fn content_start(&self, string: &Range<usize>, content: &str) -> Option<usize> {
        // A quote, three quotes, and three with the line break that TOML drops.
        let mut starts = [1, 3, 4, 5].map(|opening| string.start + opening).into_iter();
        starts.find(|start| self.text.get(*start..).is_some_and(|text| text.starts_with(content)))
    }

    /// Drops what was found by reading in these places, and keeps their syntax errors.
    pub(super) fn forget_within(&mut self, places: &[Range<usize>]) {
        let syntax = self.syntax;
        let mut nth = 0;
        self.list.retain(|problem| {
            nth += 1;
            let after = places.partition_point(|place| place.end < problem.span.start);
            let touched = places.get(after).is_some_and(|place| place.start <= problem.span.end);
            nth <= syntax || !touched
        });
    }

    /// All problems in the text's order, spans on character boundaries, at most [`Problem::MOST`].
    pub(super) fn into_list(self) -> Vec<Problem> {
        let mut list = self.list;
        list.sort_by_key(|problem| problem.span.start);
        let more = list.len().saturating_sub(Problem::MOST);
        if more > 0 {
            list.truncate(Problem::MOST);
            list[Problem::MOST - 1].message = format!("{} more problems from here on", more + 1);
            list[Problem::MOST - 1].help = None;
        }
        for problem in &mut list {
            let start = self.text.floor_char_boundary(problem.span.start);
            problem.span = start
                ..self
                    .text
                    .ceil_char_boundary(problem.span.end.min(self.text.len()))
                    .max(start);
            problem.message = printable(&problem.message);
            problem.help = problem.help.as_deref().map(printable);
        }
        list
    }
}

/// What a file quotes back at its reader must neither move a terminal's cursor nor fill its screen.
fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    let short: String = text.chars().take(LONGEST).collect();
    let cut = text.chars().nth(LONGEST).map(|_| "…");
    super::visible(&short) + cut.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Findings, Problem};

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "\u{feff}é = 1\r\nab = ü2\n";
        let at = |start| Problem::new(start..start, "").position(text);
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (1, 1));
        assert_eq!(at(5), (1, 2));
        assert_eq!(at(text.find('2').expect("is there")), (2, 7));
        assert_eq!(at(text.len()), (3, 1));
    }

    #[test]
    fn a_hostile_file_gets_a_bounded_list() {
        let mut findings = Findings::new("x", Vec::new());
        (0..100_000).for_each(|_| findings.add(0..1, "wrong"));
        let list = findings.into_list();
        assert_eq!(list.len(), Problem::MOST);
        assert_eq!(list[99].message, "99901 more problems from here on");
    }

    #[test]
    fn the_content_of_a_string_is_found_only_when_it_is_written_as_it_reads() {
        let start = |text: &str, content| Findings::new(text, Vec::new()).content_start(&(0..text.len()), content);
        assert_eq!(start(r#""x | y""#, "x | y"), Some(1));
        assert_eq!(start("'''x'''", "x"), Some(3));
        assert_eq!(start("'''\r\nx'''", "x"), Some(5));
        assert_eq!(start(r#""\t|""#, "\t|"), None);
    }
}
