//! What in a command line needs a shell, and what to write instead.

use std::ops::Range;

/// What in a command line needs a shell, and where it stands (bytes).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct WordsError {
    /// Byte offsets into the text.
    pub at: Range<usize>,
    /// What stands there, and why it needs a shell.
    pub kind: WordsErrorKind,
}

/// What needs a shell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsErrorKind {
    /// An opening quote without its pair.
    #[error("this quote is never closed")]
    Unclosed,
    /// A backslash as the last character.
    #[error("this backslash escapes nothing")]
    Dangling,
    /// A pipe, list, redirection or subshell.
    #[error("`{0}` works only in a shell, and no shell runs this")]
    Operator(String),
    /// A second line, which a shell would run as another command.
    #[error("only a shell runs a second line as a second command, and no shell runs this")]
    Line,
    /// `$NAME` and the like.
    #[error("only a shell expands `{0}`, and no shell runs this")]
    Variable(String),
    /// `NAME=value` before the program.
    #[error("`{0}=` before the program works only in a shell, and no shell runs this")]
    Assignment(String),
    /// A command in backticks.
    #[error("only a shell runs a command in backticks, and no shell runs this")]
    Command,
    /// An unquoted `*`, which a shell expands to file names.
    #[error("only a shell expands `*` to file names, and no shell runs this")]
    Glob,
    /// A leading `~`, which a shell expands to the home directory.
    #[error("only a shell expands `~` to the home directory, and no shell runs this")]
    Home,
    /// A word that begins with `#`.
    #[error("`#` begins a comment only in a shell, and no shell runs this")]
    Comment,
}

impl WordsErrorKind {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Unclosed => "close it, or give the words as an array".to_owned(),
            Self::Dangling => "double it for a literal backslash".to_owned(),
            Self::Operator(_) | Self::Command => "put the line into a script and name that here; to pass the \
                character itself, quote it or give the words as an array"
                .to_owned(),
            Self::Line => "run one program; end a line with a backslash to continue it".to_owned(),
            Self::Variable(name) if matches!(name.as_str(), "$PORT" | "${PORT}") => {
                "leave it out, since the app finds `PORT` in its environment; or write the port itself; to pass the \
                    text, put it in single quotes"
                    .to_owned()
            }
            Self::Variable(_) => "write its value, or let the app read it from its environment; \
                to pass the text itself, put it in single quotes or give the words as an array"
                .to_owned(),
            Self::Assignment(name) => format!("set it in the [env] table: {name} = \"...\""),
            Self::Glob => "name the files, or quote it to pass the character itself".to_owned(),
            Self::Home => "write the absolute path".to_owned(),
            Self::Comment => "move the comment after the closing quote, or quote the word".to_owned(),
        }
    }
}
