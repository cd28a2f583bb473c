//! Texts from outside as systemd reads them back: quoting of systemd.syntax(7), specifiers of systemd.unit(5).
//!
//! Four places, four grammars. Arguments and assignments are words with C escapes, so anything fits. Path lists are words
//! without C escapes, single paths take the rest of the line, and environment files are glob(7) patterns: these cannot
//! hold control characters, and [`super::file`] replaces what the spec should have refused.

use std::fmt::Write as _;
use std::path::Path;

/// Characters that may stand in no line of a unit file: controls would end or hide it, and systemd drops a line with a
/// Unicode noncharacter as "not UTF-8 clean".
pub(super) fn never_literal(c: char) -> bool {
    c.is_ascii_control() || matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

/// One argument of `ExecStart=`, or any other word that systemd unquotes with C escapes.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-/.:=,@+".contains(c);
    // The quotes also keep a lone `;` from ending the command, and an empty argument from vanishing.
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 8);
    quoted.push('"');
    text.chars().for_each(|c| push_escaped(&mut quoted, c));
    quoted.push('"');
    quoted
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '%' => out.push_str("%%"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        // No argument and no variable can hold it, and systemd would refuse the whole line.
        '\0' => out.push('\u{fffd}'),
        c if never_literal(c) => {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
        c => out.push(c),
    }
}

/// A file that takes the rest of its line, `ListenStream=`: nothing is unquoted, only specifiers are read. `%i` is empty
/// in a unit without instances; it keeps a last backslash from joining the next line and a last space from being cut off.
pub(super) fn rest_of_line_file(path: &Path) -> String {
    let text = specifiers(path);
    if ends_badly(&text) { text + "%i" } else { text }
}

/// A path as a glob(7) pattern that matches itself only, `EnvironmentFile=`.
pub(super) fn glob(path: &Path) -> String {
    let mut pattern = String::new();
    for c in specifiers(path).chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    match pattern.strip_suffix(' ') {
        Some(rest) => format!("{rest}[ ]"),
        None => pattern,
    }
}

/// One path of a list such as `ReadWritePaths=`; a quoted backslash means the same with and without C escapes.
pub(super) fn list_path(path: &Path) -> String {
    let text = specifiers(path).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

/// As [`list_path`], and a path that is missing is no error.
pub(super) fn optional_list_path(path: &Path) -> String {
    list_path(path).replacen('"', "\"-", 1)
}

fn specifiers(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

fn ends_badly(text: &str) -> bool {
    text.ends_with(['\\', ' '])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{glob, list_path, optional_list_path, rest_of_line_file, word};

    #[test]
    fn plain_words_stay_readable() {
        for plain in ["node", "--port=3000", "/srv/a_b.js", "a@b:c,d+e"] {
            assert_eq!(word(plain), plain);
        }
    }

    #[test]
    fn what_means_something_to_systemd_is_quoted() {
        for (text, quoted) in [
            ("", r#""""#),
            (";", r#"";""#),
            ("a b", r#""a b""#),
            ("%n", r#""%%n""#),
            ("$HOME", r#""$HOME""#),
            (r#"a"b"#, r#""a\"b""#),
            ("a'b", r#""a'b""#),
            (r"a\", r#""a\\""#),
            ("a\nb\tc", r#""a\nb\tc""#),
            ("\r\u{1b}\u{7f}", r#""\x0d\x1b\x7f""#),
            ("\u{fdd0}", r#""\xef\xb7\x90""#),
            ("ä→😀", r#""ä→😀""#),
        ] {
            assert_eq!(word(text), quoted, "{text:?}");
        }
    }

    #[test]
    fn paths_do_not_swallow_the_next_line() {
        assert_eq!(rest_of_line_file(Path::new(r"/run/x\")), r"/run/x\%i");
        assert_eq!(rest_of_line_file(Path::new("/run/x.sock")), "/run/x.sock");
    }

    #[test]
    fn an_environment_file_is_no_pattern() {
        assert_eq!(glob(Path::new("/e/*[a]?.env")), r"/e/\*\[a]\?.env");
        assert_eq!(glob(Path::new(r"/e/a\")), r"/e/a\\");
        assert_eq!(glob(Path::new("/e/a ")), "/e/a[ ]");
    }

    #[test]
    fn paths_of_a_list_are_always_quoted() {
        assert_eq!(list_path(Path::new(r#"/a b"\%"#)), r#""/a b\"\\%%""#);
        assert_eq!(optional_list_path(Path::new("/a")), r#""-/a""#);
    }
}
