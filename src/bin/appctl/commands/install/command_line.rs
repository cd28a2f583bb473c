//! A command line of `package.json` or `Procfile`: variables in front, then words. No shell will see it.

use appctl::spec::{WordsError, WordsErrorKind, split_words};

/// A command and the variables that stand before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// Program and arguments.
    pub(super) exec: Vec<String>,
    /// `NAME=value` words in front of it.
    pub(super) env: Vec<(String, String)>,
}

/// Takes a line apart; the error says what only a shell could carry out.
pub(super) fn parse(line: &str) -> Result<Start, WordsError> {
    let mut rest = line.trim_start();
    let mut env = Vec::new();
    loop {
        let error = match split_words(rest) {
            Ok(exec) => return Ok(Start { exec, env }),
            Err(error) => error,
        };
        let Some((word, after)) = rest.split_once(char::is_whitespace) else {
            return Err(error);
        };
        match (assignment(word), &error.kind) {
            (Some((name, value)), WordsErrorKind::Assignment(_)) if is_literal(&value) => env.push((name, value)),
            _ => return Err(error),
        }
        rest = after.trim_start();
    }
}

/// `NAME=value`.
pub(super) fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let mut characters = name.chars();
    let first = characters.next()?;
    let good =
        (first.is_ascii_alphabetic() || first == '_') && characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    good.then(|| (name.to_owned(), value.to_owned()))
}

/// Whether a shell would leave the value as it is.
fn is_literal(value: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn variables_in_front_are_the_apps() {
        let start = parse("A=1 B=x:y node x.js C=3").expect("a command");
        assert_eq!(start.exec, ["node", "x.js", "C=3"]);
        assert_eq!(
            start.env,
            [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x:y".to_owned())]
        );
    }

    #[test]
    fn a_variable_that_a_shell_would_change_is_not_guessed() {
        for line in ["A=$B node x", "A='1 2' node x", "A=~ node x", "A=1", "node x && y"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
