//! The colours, in one place. `NO_COLOR`, `--no-color` and pipes are honoured by anstream.

use anstyle::{AnsiColor, Style};

/// `error:` and what is down.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is in between: starting, draining, backing off, a note.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What is up.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// `help:` and what to type.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
/// Headings.
pub(crate) const HEAD: Style = Style::new().bold();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Turns colours off for good when asked to.
pub(crate) fn choose_colour(off: bool) {
    if off {
        anstream::ColorChoice::Never.write_global();
    }
}

/// `text` in `style`.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
