//! What is mounted where: `/proc/PID/mountinfo`, `proc_pid_mountinfo(5)`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// One mount, a bind mount as well as a whole file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its number, which `/proc/PID/fdinfo` names, too.
    pub id: u64,
    /// The device of its file system, major and minor: not always what stat(2) says of a file on it.
    pub device: (u32, u32),
    /// The mount point.
    pub point: PathBuf,
    /// Whether nothing can be changed there.
    pub read_only: bool,
}

/// All mounts, in the order they were made.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(mount).collect()
}

/// Those at a path and below it.
pub fn at_or_below<'m>(mounts: &'m [Mount], path: &'m Path) -> impl Iterator<Item = &'m Mount> {
    mounts.iter().filter(move |mount| mount.point.starts_with(path))
}

/// The one that a path is on.
pub fn under<'m>(mounts: &'m [Mount], path: &Path) -> Option<&'m Mount> {
    // Of those at one point the last is on top.
    let holding = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    holding.max_by_key(|mount| mount.point.components().count())
}

/// `36 35 98:0 / /mnt\040x rw,noatime shared:1 - ext4 /dev/sda rw`.
fn mount(line: &str) -> Option<Mount> {
    let mut words = line.split(' ');
    let id = words.next()?.parse().ok()?;
    let device = device(words.nth(1)?, 10)?;
    let point = unescape(words.nth(1)?).into();
    let options = words.next()?;
    let file_system = line.split_once(" - ")?.1.split(' ').nth(2)?;
    let read_only = [options, file_system]
        .iter()
        .any(|list| list.split(',').any(|one| one == "ro"));
    Some(Mount {
        id,
        device,
        point,
        read_only,
    })
}

/// Major and minor number of `MAJOR:MINOR` in this radix; `None` for another text.
pub(super) fn device(text: &str, radix: u32) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    let number = |text| u32::from_str_radix(text, radix).ok();
    Some((number(major)?, number(minor)?))
}

/// Blanks, line ends and backslashes are written as three octal digits.
fn unescape(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| first == b'\\');
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::{at_or_below, parse, under};
    use std::path::Path;

    const TEXT: &str = "\
21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
24 21 0:22 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=1g
40 21 254:0 /srv/x /var/lib/appctl/web/data/my\\040files ro,relatime - ext4 /dev/vda rw
41 21 0:50 / /var/lib/appctl/web2 rw master:7 - tmpfs none ro
nonsense
";

    #[test]
    fn names_are_read_as_they_are_and_neighbours_told_apart() {
        let mounts = parse(TEXT);
        assert_eq!(
            mounts.iter().map(|mount| mount.id).collect::<Vec<_>>(),
            [21, 24, 40, 41]
        );
        assert_eq!(mounts[2].device, (254, 0));
        assert_eq!(
            mounts.iter().map(|mount| mount.read_only).collect::<Vec<_>>(),
            [false, false, true, true]
        );
        let below: Vec<_> = at_or_below(&mounts, Path::new("/var/lib/appctl/web")).collect();
        assert_eq!(below.len(), 1);
        assert_eq!(below[0].point, Path::new("/var/lib/appctl/web/data/my files"));
        assert_eq!(under(&mounts, Path::new("/run/appctl")).map(|mount| mount.id), Some(24));
        assert_eq!(under(&mounts, Path::new("/runner")).map(|mount| mount.id), Some(21));
    }
}
