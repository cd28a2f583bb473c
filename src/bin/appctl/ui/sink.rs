//! The one place that writes to standard output and standard error: a test forbids it everywhere else. Colours are taken
//! away again where they are not wanted: in a pipe, with `NO_COLOR`, with `--no-color`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};

use appctl::spec::is_visible;

use super::style::WARN;
use super::text::{Text, paint};

/// Goes to the beginning of the terminal's line and clears it.
const AFRESH: &str = "\r\x1b[K";

/// Turns colours off for good when asked to.
pub(crate) fn choose_colour(off: bool) {
    if off {
        anstream::ColorChoice::Never.write_global();
    }
}

/// Prints to standard output. A reader that went away is an error here, and the end of the program without a word.
pub(crate) fn print(text: impl Into<Text>) -> io::Result<()> {
    write(&mut anstream::stdout().lock(), &text.into())
}

/// Prints one JSON value on one line, in which a terminal shows everything.
pub(crate) fn print_json(value: &serde_json::Value) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", escaped(&value.to_string()))?;
    out.flush()
}

/// Answers an `appctl` that started this one, byte for byte. It does not show it to people.
pub(crate) fn answer(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Prints to standard error; where that goes nowhere, nothing is lost by it.
pub(crate) fn complain(text: impl Into<Text>) {
    drop(write(&mut anstream::stderr().lock(), &text.into()));
}

/// Warns on standard error.
pub(crate) fn warn(text: &str) {
    complain(paint(WARN, "warning:") + format!(" {text}"));
}

/// Asks on standard error: the cursor stays behind the question.
pub(crate) fn ask(question: impl Into<Text>) {
    let mut out = anstream::stderr().lock();
    drop(write!(out, "{} ", question.into().as_str()).and_then(|()| out.flush()));
}

/// Whether standard output is a terminal, on which [`draw`] makes sense.
pub(crate) fn is_live() -> bool {
    io::stdout().is_terminal()
}

/// Draws the terminal's last line anew.
pub(crate) fn draw(text: impl Into<Text>) {
    let mut out = anstream::stdout().lock();
    drop(write!(out, "{AFRESH}{}", text.into().as_str()).and_then(|()| out.flush()));
}

/// Prints a line in place of one that was drawn.
pub(crate) fn print_over(text: impl Into<Text>) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    write!(out, "{AFRESH}")?;
    write(&mut out, &text.into())
}

fn write(out: &mut impl Write, text: &Text) -> io::Result<()> {
    let text = text.as_str();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// JSON escapes the first control block; this, the second, and what does not show or turns text around.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_visible(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;
    use serde_json::json;

    #[test]
    fn json_shows_everything_and_means_the_same() {
        let value = json!({ "a": "\u{1b}]0;x\u{7}\u{9b}\u{7f}\u{202e}\u{2028}\u{e0041}é🚀\n" });
        let text = escaped(&value.to_string());
        assert_eq!(
            text,
            r#"{"a":"\u001b]0;x\u0007\u009b\u007f\u202e\u2028\udb40\udc41é🚀\n"}"#
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}
