//! The colours, in one place.

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
