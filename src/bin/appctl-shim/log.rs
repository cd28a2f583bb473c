//! The shim's own lines: to its stderr, which systemd connects to the journal. `<N>` sets the priority, sd-daemon(3).

use std::io::Write;

use crate::machine::Level;

/// One line. A log that cannot be written is no reason to stop an app.
pub(crate) fn line(level: Level, text: &str) {
    let prefix = match (std::env::var_os("JOURNAL_STREAM"), level) {
        (None, _) => "",
        (Some(_), Level::Error) => "<3>",
        (Some(_), Level::Warning) => "<4>",
        (Some(_), Level::Info) => "<6>",
    };
    let text = format!("{prefix}appctl: {text}\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
}
