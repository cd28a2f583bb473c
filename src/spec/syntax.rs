//! The text as TOML: all syntax errors at once, and what could be read in spite of them.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::problem::Problem;

/// The text of a file; TOML is UTF-8.
///
/// # Errors
/// Where the first byte stands that is not. The span counts bytes of the input, not of a `str`.
pub fn text_of(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let start = error.valid_up_to();
        let line = bytes[..start].split(|b| *b == b'\n').count();
        Problem {
            help: Some("save the file as UTF-8".to_owned()),
            ..Problem::new(
                start..start + 1,
                format!("byte 0x{:02x} on line {line} is not UTF-8", bytes[start]),
            )
        }
    })
}

/// Errors looked at: behind so many nothing that was read can be trusted, and a hostile file must not cost time.
const MOST_ERRORS: usize = 200;

/// What could be read of a text, and what could not.
pub(super) struct Parsed<'t> {
    /// As much as could be read.
    pub(super) table: Spanned<DeTable<'t>>,
    /// The syntax errors, one for each line.
    pub(super) errors: Vec<Problem>,
    /// Where they make what was read unreliable: their lines, or everything when a table header is broken.
    pub(super) unreliable: Vec<Range<usize>>,
}

pub(super) fn parse(text: &str) -> Parsed<'_> {
    let (table, found) = DeTable::parse_recoverable(text);
    let mut errors: Vec<Problem> = found
        .iter()
        .take(MOST_ERRORS)
        .map(|error| problem(text, error))
        .collect();
    errors.sort_by_key(|problem| problem.span.start);
    // A slip draws others behind it on its line; the first says what to do.
    errors.dedup_by_key(|problem| line_of(text, problem.span.start).start);
    let lines: Vec<_> = errors.iter().map(|problem| line_of(text, problem.span.start)).collect();
    let header = lines
        .iter()
        .any(|line| text[line.clone()].trim_start().starts_with('['));
    let lost = header || found.len() > MOST_ERRORS;
    let unreliable = if lost {
        std::iter::once(0..text.len()).collect()
    } else {
        lines
    };
    Parsed {
        table,
        errors,
        unreliable,
    }
}

fn problem(text: &str, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let written = text.get(span.clone()).unwrap_or("");
    let (message, help) = match error.message() {
        "duplicate key" => (format!("`{written}` is set twice"), None),
        message if message.starts_with("string values must be quoted") => (
            if written.is_empty() {
                "a value is missing"
            } else {
                "a string needs quotes"
            }
            .to_owned(),
            quoted(written),
        ),
        "invalid basic string, expected `\"`" | "invalid literal string, expected `'`" => {
            ("this string is not closed on its line".to_owned(), None)
        }
        message => (message.to_owned(), None),
    };
    Problem {
        help,
        ..Problem::new(span, message)
    }
}

fn quoted(written: &str) -> Option<String> {
    let simple = !written.is_empty() && written.len() < 200 && !written.contains(['"', '\\', '\n']);
    simple.then(|| format!("write \"{}\"", written.trim_end()))
}

/// The line around an offset, without its end.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let at = text.floor_char_boundary(at);
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn says_where_a_file_stops_being_text() {
        assert_eq!(text_of("é".as_bytes()), Ok("é"));
        let problem = text_of(b"a = 1\nb = \xff").expect_err("is no text");
        assert_eq!(problem.message, "byte 0xff on line 2 is not UTF-8");
        assert_eq!(problem.span, 10..11);
    }
}
