//! systemd-escape(1): any text as one part of a unit name.

use std::fmt::Write as _;

/// `text` with `/` as `-` and everything outside `[A-Za-z0-9:_.]` as `\xNN`; a first dot is escaped too.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'/' => escaped.push('-'),
            b'.' if at == 0 => escaped.push_str("\\x2e"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b':' | b'_' | b'.' => escaped.push(char::from(byte)),
            _ => write!(escaped, "\\x{byte:02x}").expect("a String takes all text"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn follows_the_manual() {
        for (text, escaped) in [
            ("myapp", "myapp"),
            ("my-app", r"my\x2dapp"),
            ("my_app-2", r"my_app\x2d2"),
            (".a/b", r"\x2ea-b"),
            ("ä ", r"\xc3\xa4\x20"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }
}
