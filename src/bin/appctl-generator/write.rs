//! Puts the files of one app into systemd's directory. It is empty when we start, so nothing is ever overwritten.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;

use crate::Output;

/// Writes what the units read first, and what starts them last.
pub(crate) fn app(directory: &Path, output: &Output) -> io::Result<()> {
    if let Some((name, text)) = &output.environment {
        whole(&directory.join(name), text, 0o600)?;
    }
    for unit in &output.units {
        whole(&directory.join(&unit.name), &unit.to_string(), 0o644)?;
    }
    for (link, target) in &output.links {
        let link = directory.join(link);
        link.parent().map_or(Ok(()), fs::create_dir_all)?;
        symlink(target, link)?;
    }
    Ok(())
}

/// One write: a file that is cut short would be a valid unit with its last lines missing.
fn whole(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())
}
