//! Files of variables: the dialect that systemd reads, `EnvironmentFile=` of systemd.exec(5), and what may stand in one.

use std::str::Chars;

use super::env;

/// One variable as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Line of the name, from 1 on.
    line: usize,
    name: String,
    /// `None` where no `=` follows the name.
    value: Option<String>,
}

/// The variables of a text, in its order; systemd passes over every line that is none, and so does this.
pub fn parse(text: &str) -> Vec<(String, String)> {
    let all = entries(text).into_iter();
    let named = all.filter(|entry| env::is_variable_name(&entry.name));
    named.filter_map(|entry| Some((entry.name, entry.value?))).collect()
}

/// The same, but every line has to make sense. The error is the line and what is wrong with it.
pub fn parse_strictly(text: &str) -> Result<Vec<(String, String)>, (usize, String)> {
    let one = |entry: Entry| {
        let Entry { line, name, value } = entry;
        let value = value.ok_or_else(|| (line, "expected NAME=value".to_owned()))?;
        refusal(&name, &value).map_or(Ok((name, value)), |why| Err((line, why)))
    };
    entries(text).into_iter().map(one).collect()
}

/// Why a variable cannot be given to an app.
pub fn refusal(name: &str, value: &str) -> Option<String> {
    if !env::is_variable_name(name) {
        return Some(format!(
            "the name of a variable can contain only letters, digits and `_`, and must not begin with a digit: {name:?}"
        ));
    }
    if let Some(why) = env::reserved(name) {
        return Some(format!("{name} cannot be set: {why}"));
    }
    if value.contains('\0') {
        return Some(format!("the value of {name} contains a NUL character"));
    }
    (name.len() + 1 + value.len() > env::LONGEST)
        .then(|| format!("{name} and its value are longer than 128 KiB, the kernel's limit"))
}

/// Whether each instance is told this by appctl or systemd, so that no file can say it.
pub fn is_reserved(name: &str) -> bool {
    env::reserved(name).is_some()
}

/// A text from which [`parse`], and systemd, read the same variables.
pub fn write(variables: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in variables {
        text.push_str(name);
        text.push_str("=\"");
        for c in value.chars() {
            if matches!(c, '"' | '\\' | '`' | '$') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push_str("\"\n");
    }
    text
}

/// What a reader is in the middle of.
#[derive(Clone, Copy)]
enum Within {
    Nothing,
    Comment,
    Name,
    /// Behind the `=` or a closing quote.
    Gap,
    Plain,
    Single,
    Double,
}

/// `parse_env_file_internal()` of systemd, state by state.
fn entries(text: &str) -> Vec<Entry> {
    let mut reader = Reader {
        found: Vec::new(),
        within: Within::Nothing,
        line: 1,
        kept: 0,
    };
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        reader.within = match reader.within {
            Within::Nothing | Within::Comment | Within::Name => reader.outside(c, &mut chars),
            Within::Gap | Within::Plain => reader.unquoted(c, &mut chars),
            Within::Single | Within::Double => reader.quoted(c, &mut chars),
        };
        reader.line += usize::from(c == '\n');
    }
    reader.cut();
    for entry in &mut reader.found {
        entry.name.truncate(entry.name.trim_end_matches(is_blank).len());
    }
    reader.found
}

struct Reader {
    found: Vec<Entry>,
    within: Within,
    line: usize,
    /// Length of the value without the blanks at its end, which are no part of it.
    kept: usize,
}

impl Reader {
    fn outside(&mut self, c: char, rest: &mut Chars<'_>) -> Within {
        match (self.within, c) {
            (Within::Nothing, '#' | ';') => Within::Comment,
            (Within::Nothing, _) if is_blank(c) => Within::Nothing,
            (Within::Comment, '\\') => {
                self.skip(rest);
                Within::Comment
            }
            (_, '\n' | '\r') => Within::Nothing,
            (Within::Comment, _) => Within::Comment,
            (Within::Name, _) => self.name(c),
            _ => {
                let (line, name) = (self.line, c.to_string());
                self.found.push(Entry {
                    line,
                    name,
                    value: None,
                });
                Within::Name
            }
        }
    }

    fn name(&mut self, c: char) -> Within {
        let Some(entry) = self.found.last_mut() else {
            return Within::Nothing;
        };
        if c == '=' {
            entry.value = Some(String::new());
            self.kept = 0;
            return Within::Gap;
        }
        entry.name.push(c);
        Within::Name
    }

    fn unquoted(&mut self, c: char, rest: &mut Chars<'_>) -> Within {
        match (self.within, c) {
            (_, '\n' | '\r') => {
                self.cut();
                Within::Nothing
            }
            (Within::Gap, '\'') => Within::Single,
            (Within::Gap, '"') => Within::Double,
            (Within::Gap, _) if is_blank(c) => Within::Gap,
            (_, '\\') => {
                let next = self.skip(rest);
                next.filter(|next| !matches!(next, '\n' | '\r'))
                    .into_iter()
                    .for_each(|next| self.push(next));
                self.keep();
                Within::Plain
            }
            _ => {
                self.push(c);
                if !is_blank(c) {
                    self.keep();
                }
                Within::Plain
            }
        }
    }

    fn quoted(&mut self, c: char, rest: &mut Chars<'_>) -> Within {
        match (self.within, c) {
            (Within::Single, '\'') | (Within::Double, '"') => {
                self.keep();
                return Within::Gap;
            }
            (Within::Double, '\\') => match self.skip(rest) {
                Some(next @ ('"' | '\\' | '`' | '$')) => self.push(next),
                Some('\n') | None => {}
                Some(next) => {
                    self.push('\\');
                    self.push(next);
                }
            },
            _ => self.push(c),
        }
        self.keep();
        self.within
    }

    /// The character behind a backslash.
    fn skip(&mut self, rest: &mut Chars<'_>) -> Option<char> {
        let next = rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn value(&mut self) -> Option<&mut String> {
        self.found.last_mut()?.value.as_mut()
    }

    fn push(&mut self, c: char) {
        if let Some(value) = self.value() {
            value.push(c);
        }
    }

    fn keep(&mut self) {
        self.kept = self.value().map_or(0, |value| value.len());
    }

    fn cut(&mut self) {
        let kept = self.kept;
        if let Some(value) = self.value() {
            value.truncate(kept);
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_strictly, write};

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text)
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn is_read_as_systemd_does() {
        let text = "# A=comment \\\n still\n; B=too\n\n A = b c  \nQ=\"x y\" 'z'\nM=\"1\n2\"\nE=a\\ b\\\nc\nL=\"\\n\\$\\\\\"\n\
                    no line\nexport X=1\nD=$HOME\nEMPTY=\nLAST=x ";
        let expected = pairs(&[
            ("A", "b c"),
            ("Q", "x yz"),
            ("M", "1\n2"),
            ("E", "a bc"),
            ("L", "\\n$\\"),
            ("D", "$HOME"),
            ("EMPTY", ""),
            ("LAST", "x"),
        ]);
        assert_eq!(read(text), expected);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let all = pairs(&[
            ("A", " \"q\" 'q' \\ $HOME `x` #; \n\r\t é "),
            ("B", ""),
            ("C", "\\"),
            ("D", "="),
        ]);
        assert_eq!(read(&write(&all)), all);
        assert_eq!(parse_strictly(&write(&all)), Ok(all));
    }

    #[test]
    fn an_editor_is_told_the_line() {
        let line = |text: &str| parse_strictly(text).map_err(|(line, _)| line);
        assert_eq!(line("A=1\n\nB C\n"), Err(3));
        assert_eq!(line("A=\"1\n2\"\nLISTEN_FDS=3\n"), Err(3));
        assert_eq!(line("1A=x"), Err(1));
    }
}
