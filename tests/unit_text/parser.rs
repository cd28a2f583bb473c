//! What systemd would make of a unit file: a second, independent reading of systemd.syntax(7), for tests only.

/// What systemd calls whitespace; other blanks of Unicode are text.
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// `(section, key, value)` in the file's order, values as they stand after the first `=`.
pub(crate) fn directives(text: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in logical_lines(text) {
        let line = line.trim_matches(BLANK);
        // Not UTF-8 clean in systemd's sense: the whole line is ignored.
        assert!(!line.chars().any(noncharacter), "{line:?}");
        if let Some(name) = line.strip_prefix('[') {
            name.strip_suffix(']')
                .expect("a section ends in ]")
                .clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            found.push((
                section.clone(),
                key.trim_matches(BLANK).to_owned(),
                value.trim_matches(BLANK).to_owned(),
            ));
        } else {
            assert!(line.is_empty(), "neither section nor directive: {line:?}");
        }
    }
    found
}

/// A file of variables in which every value is quoted: `EnvironmentFile=` of systemd.exec(5).
pub(crate) fn assignments(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().expect("a quote closes the value") {
                '"' => break,
                '\\' => {
                    let escaped = chars.next().expect("a character behind the backslash");
                    assert!("\"\\`$".contains(escaped), "{escaped:?} needs no backslash");
                    value.push(escaped);
                }
                c => value.push(c),
            }
        }
        found.push((name.to_owned(), value));
        rest = chars.as_str().strip_prefix('\n').expect("a line of its own");
    }
    assert!(rest.is_empty(), "{rest:?}");
    found
}

fn noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || (c as u32) % 0x1_0000 >= 0xfffe
}

/// Lines end at LF, CR and NUL; a comment is no line; an odd number of backslashes at the end joins the next one.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for physical in text.split(['\n', '\r', '\0']) {
        if physical.trim_start_matches(BLANK).starts_with(['#', ';']) {
            continue;
        }
        open.push_str(physical);
        let backslashes = open.len() - open.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            open.pop();
            open.push(' ');
        } else {
            lines.push(std::mem::take(&mut open));
        }
    }
    lines.push(open);
    lines
}

/// How a list of words is unquoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// `ExecStart=`, `Environment=`: C escapes.
    C,
    /// Path lists: a backslash takes the next character as it is.
    Literal,
}

/// The words of a value, as bytes. `None` where systemd would refuse the line.
pub(crate) fn words(value: &str, escapes: Escapes) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = value.bytes().collect::<std::collections::VecDeque<u8>>();
    loop {
        while rest.front().is_some_and(u8::is_ascii_whitespace) {
            rest.pop_front();
        }
        if rest.is_empty() {
            return Some(words);
        }
        let alone = rest.get(1).is_none_or(u8::is_ascii_whitespace);
        if alone && rest.front() == Some(&b';') {
            // It would begin a second command.
            return None;
        }
        words.push(word(&mut rest, escapes)?);
    }
}

fn word(rest: &mut std::collections::VecDeque<u8>, escapes: Escapes) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut quote = None;
    while let Some(byte) = rest.pop_front() {
        match (byte, quote) {
            (b'\\', _) => unescape(rest, escapes, &mut out)?,
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            (_, None) if byte.is_ascii_whitespace() => return Some(out),
            _ => out.push(byte),
        }
    }
    quote.is_none().then_some(out)
}

fn unescape(rest: &mut std::collections::VecDeque<u8>, escapes: Escapes, out: &mut Vec<u8>) -> Option<()> {
    let next = rest.pop_front()?;
    if escapes == Escapes::Literal {
        out.push(next);
        return Some(());
    }
    out.push(match next {
        b'n' => b'\n',
        b't' => b'\t',
        b's' => b' ',
        b'\\' | b'"' | b'\'' => next,
        b'x' => {
            let digits = [rest.pop_front()?, rest.pop_front()?];
            let byte = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
            Some(byte).filter(|byte| *byte != 0)?
        }
        _ => return None,
    });
    Some(())
}

/// Specifiers of systemd.unit(5), for the instance `surge`; `i` is all that may be used.
pub(crate) fn specifiers(bytes: &[u8], instance: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match (byte, if *byte == b'%' { rest.next() } else { None }) {
            (b'%', Some(b'%')) => out.push(b'%'),
            (b'%', Some(b'i')) => out.extend_from_slice(instance.as_bytes()),
            (b'%', other) => panic!("unexpected specifier {other:?} in {:?}", String::from_utf8_lossy(bytes)),
            (byte, _) => out.push(*byte),
        }
    }
    out
}

/// What a pattern without wildcards matches, glob(7): backslash quotes, `[ ]` is a space.
pub(crate) fn glob(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push(rest.next().expect("a backslash quotes something")),
            '[' => {
                assert_eq!((rest.next(), rest.next()), (Some(' '), Some(']')), "{pattern:?}");
                out.push(' ');
            }
            '*' | '?' => panic!("a wildcard in {pattern:?}"),
            c => out.push(c),
        }
    }
    out
}
