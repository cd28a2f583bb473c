//! Text for people. What it was made of may be hostile, what is in it is not: only [`paint`] puts escape sequences into a
//! [`Text`], and only our own.

use std::ops::{Add, AddAssign};

use anstyle::Style;
use appctl::spec::visible;

/// Text that can be shown on a terminal. Whatever becomes one is escaped, line breaks too: an app, a file or a commit
/// cannot begin a line of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Text(String);

/// `text` in `style`.
pub(crate) fn paint(style: Style, text: &str) -> Text {
    Text(format!("{style}{}{style:#}", visible(text)))
}

impl Text {
    /// What a renderer made of text that was escaped before.
    pub(super) fn rendered(text: String) -> Self {
        Self(text)
    }

    /// The same with a line at its end.
    pub(crate) fn line(mut self, line: impl Into<Self>) -> Self {
        self += line;
        self.0.push('\n');
        self
    }

    /// The same with a text of several lines at its end.
    pub(crate) fn lines(self, text: &str) -> Self {
        text.lines().fold(self, Self::line)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the sink.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(visible(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl<T: Into<Text>> AddAssign<T> for Text {
    fn add_assign(&mut self, other: T) {
        self.0.push_str(&other.into().0);
    }
}

impl<T: Into<Text>> Add<T> for Text {
    type Output = Self;

    fn add(mut self, other: T) -> Self {
        self += other;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, paint};
    use crate::ui::style::BAD;

    #[test]
    fn only_our_own_escape_sequences_are_in_it() {
        let text = paint(BAD, "a\u{1b}[2J") + " b\u{9b}" + &"c\nd".to_owned();
        let painted = format!("{BAD}a\\u{{1b}}[2J{BAD:#}");
        assert_eq!(text.as_str(), format!("{painted} b\\u{{9b}}c\\nd"));
    }

    #[test]
    fn line_breaks_are_ours() {
        let text = Text::from("a").line("b\nc").lines("d\r\ne\u{85}");
        assert_eq!(text.as_str(), "ab\\nc\nd\ne\\u{85}\n");
    }
}
