//! What is mounted where this process is.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;

use crate::observe::mounts::{self, Mount};

/// All mounts.
pub fn read() -> io::Result<Vec<Mount>> {
    // Names of mount points need not be text.
    let bytes = fs::read("/proc/self/mountinfo")?;
    Ok(mounts::parse(&String::from_utf8_lossy(&bytes)))
}

/// The device of the file system an open file is on, as the kernel names it in its lists.
pub fn device(file: &File) -> io::Result<Option<(u32, u32)>> {
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))?;
    let id = about
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok());
    let mounts = read()?;
    Ok(mounts
        .iter()
        .find(|mount| Some(mount.id) == id)
        .map(|mount| mount.device))
}
