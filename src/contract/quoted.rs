//! An app's own words inside a line of ours: in quotes, and without any effect on a terminal.
//!
//! What could end the quotes or steer a terminal is written as `%` and two hexadecimal digits for each of its bytes.
//! Not with a backslash: systemd takes those out of what it is told.

use crate::spec::is_visible;

/// In quotes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if is_visible(c) && !matches!(c, '"' | '%' | '\\') {
            out.push(c);
        } else {
            c.encode_utf8(&mut [0; 4])
                .bytes()
                .for_each(|byte| encode(byte, &mut out));
        }
    }
    out.push('"');
    out
}

/// What stands in quotes at the front, and what follows.
pub fn unquote(line: &str) -> Option<(String, &str)> {
    let (quoted, after) = line.strip_prefix('"')?.split_once('"')?;
    let mut bytes = quoted.bytes();
    let mut text = Vec::with_capacity(quoted.len());
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            byte => byte,
        });
    }
    Some((String::from_utf8(text).ok()?, after))
}

fn encode(byte: u8, out: &mut String) {
    let digits = [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16).unwrap_or('0'));
    out.push('%');
    out.extend(digits);
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|half| u8::try_from(half).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_visible, quote, unquote};

    #[test]
    fn shows_what_it_is() {
        let text = "100 % \"up\"\u{1b}[2J\\\u{202e}\u{e9}";
        assert_eq!(quote(text), "\"100 %25 %22up%22%1b[2J%5c%e2%80%ae\u{e9}\"");
        assert_eq!(unquote(r#""a"; crashes 0"#), Some(("a".to_owned(), "; crashes 0")));
        for bad in [
            "none",
            r#""no end"#,
            r#""%""#,
            r#""%2""#,
            r#""%zz""#,
            r#""%ff""#,
            r#""%+1""#,
        ] {
            assert_eq!(unquote(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_and_is_plain_meanwhile(text: String, after: String) {
            let quoted = quote(&text);
            prop_assert!(quoted.chars().all(|c| is_visible(c) && c != '\\'));
            let line = format!("{quoted}{after}");
            prop_assert_eq!(unquote(&line), Some((text, after.as_str())));
        }

        #[test]
        fn no_text_breaks_it(text: String) {
            let _ = unquote(&format!("\"{text}"));
        }
    }
}
