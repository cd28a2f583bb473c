//! The shim's own lines: to its stderr, which systemd connects to the journal. `<N>` sets the priority, sd-daemon(3).

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use appctl::spec::visible;

use crate::machine::Level;
use crate::{journal, last_words};

/// Whether there has been a line.
static SAID: AtomicBool = AtomicBool::new(false);

/// One line, whatever the text quotes. A log that cannot be written is no reason to stop an app.
pub(crate) fn line(level: Level, text: &str) {
    let prefix = match (std::env::var_os("JOURNAL_STREAM"), level) {
        (None, _) => "",
        (Some(_), Level::Error) => "<3>",
        (Some(_), Level::Warning) => "<4>",
        (Some(_), Level::Info) => "<6>",
    };
    let text = format!("{prefix}appctl: {}\n", visible(text));
    SAID.store(true, Ordering::Relaxed);
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Before the shim ends: its last line is the one that says why.
pub(crate) fn settle() {
    let stderr = io::stderr();
    if SAID.load(Ordering::Relaxed) && journal::is_journal(&stderr) {
        last_words::settle(&[stderr.as_fd()]);
    }
}
