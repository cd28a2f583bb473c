//! As much of JSON as a schema needs: a tree that keeps its order, and its text.

use std::fmt::{self, Write as _};

/// One JSON value, as far as a schema needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn texts(texts: impl IntoIterator<Item = &'static str>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// `{"type": "string", "pattern": …}`
    pub(super) fn pattern(pattern: &str) -> Self {
        Self::Object(vec![("type", Self::text("string")), ("pattern", Self::text(pattern))])
    }

    pub(super) fn any_of(options: impl IntoIterator<Item = Self>) -> Self {
        Self::Object(vec![("anyOf", Self::List(options.into_iter().collect()))])
    }

    /// The members of an object, to add others; empty for the rest.
    pub(super) fn into_members(self) -> Vec<(&'static str, Self)> {
        match self {
            Self::Object(members) => members,
            _ => Vec::new(),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => block(f, depth, ['[', ']'], items, |f, item| item.write(f, depth + 1)),
            Self::Object(members) => block(f, depth, ['{', '}'], members, |f, (name, value)| {
                write!(f, "\"{name}\": ")?;
                value.write(f, depth + 1)
            }),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

fn block<T>(
    f: &mut fmt::Formatter<'_>,
    depth: usize,
    [open, close]: [char; 2],
    items: &[T],
    mut write: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_char(open)?;
    for (nth, item) in items.iter().enumerate() {
        write!(f, "{}\n{:2$}", if nth == 0 { "" } else { "," }, "", 2 * (depth + 1))?;
        write(f, item)?;
    }
    if !items.is_empty() {
        write!(f, "\n{:1$}", "", 2 * depth)?;
    }
    f.write_char(close)
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn writes_what_other_programs_read() {
        let json = Json::Object(vec![
            ("a", Json::List(vec![Json::Number(1), Json::Flag(true)])),
            ("b", Json::Object(Vec::new())),
            ("c", Json::text("q\" \\ \n é")),
        ]);
        let text = json.to_string();
        assert_eq!(
            text,
            "{\n  \"a\": [\n    1,\n    true\n  ],\n  \"b\": {},\n  \"c\": \"q\\\" \\\\ \\u000a é\"\n}"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
