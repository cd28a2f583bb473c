//! Puts the files of one app into systemd's directory. It is empty when we start, so nothing is ever overwritten.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::Path;

use crate::Output;

/// Writes the units first and what starts them last.
pub(crate) fn app(directory: &Path, output: &Output) -> io::Result<()> {
    for unit in &output.units {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(directory.join(&unit.name))?;
        // One write: a file that is cut short would be a valid unit with its last lines missing.
        file.write_all(unit.to_string().as_bytes())?;
    }
    for (link, target) in &output.links {
        let link = directory.join(link);
        link.parent().map_or(Ok(()), fs::create_dir_all)?;
        symlink(target, link)?;
    }
    Ok(())
}
