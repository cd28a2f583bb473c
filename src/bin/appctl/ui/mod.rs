//! What people see: colours, tables, errors. Plain text in a pipe.

use std::io::{self, Write as _};

pub(crate) mod error;
pub(crate) mod quantity;
pub(crate) mod report;
pub(crate) mod style;
pub(crate) mod table;

/// Prints to standard output. A reader that went away is an error here, and the end of the program without a word.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Prints one JSON value on one line.
pub(crate) fn print_json(value: &serde_json::Value) -> io::Result<()> {
    print(&value.to_string())
}
