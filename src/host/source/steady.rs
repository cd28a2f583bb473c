//! A file that answers its reader at once. Some file systems are programs of their users, fuse(4), and others make
//! up what is read, proc(5); what is in there is read here, where nothing of root's waits, and a copy goes on.

use std::fs::{File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use nix::libc;
use nix::sys::statfs::{FsType, fstatfs};

/// Kept by the kernel, on a disk, in memory or far away.
const KNOWN: [i64; 15] = [
    libc::EXT4_SUPER_MAGIC,
    libc::XFS_SUPER_MAGIC,
    libc::BTRFS_SUPER_MAGIC,
    libc::TMPFS_MAGIC,
    libc::OVERLAYFS_SUPER_MAGIC,
    libc::F2FS_SUPER_MAGIC,
    libc::NFS_SUPER_MAGIC,
    libc::SMB_SUPER_MAGIC,
    libc::MSDOS_SUPER_MAGIC,
    libc::ISOFS_SUPER_MAGIC,
    // zfs, bcachefs, squashfs, exfat, cifs
    0x2fc1_2fc1,
    0xca45_1a4e,
    0x7371_7368,
    0x2011_bab0,
    0xff53_4d42,
];

/// The file itself, or a copy of at most so many bytes that has no name.
pub(super) fn steady(file: File, most: u64) -> io::Result<File> {
    let kind = fstatfs(&file)?.filesystem_type();
    if KNOWN.iter().any(|known| FsType(*known) == kind) {
        return Ok(file);
    }
    let mut copy = tempfile::tempfile_in("/var/tmp")?;
    io::copy(&mut (&file).take(most.saturating_add(1)), &mut copy)?;
    copy.set_permissions(Permissions::from_mode(file.metadata()?.mode() & 0o777))?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::steady;
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn what_the_kernel_makes_up_is_read_once_and_held() {
        let file = steady(File::open("/proc/self/status").expect("a file"), 10).expect("read");
        assert_eq!(file.metadata().expect("metadata").len(), 11);
        assert_eq!(file.metadata().expect("metadata").nlink(), 0);
    }

    #[test]
    fn a_file_on_a_disk_is_handed_on_as_it_is() {
        let mut whole = tempfile::NamedTempFile::new_in("/var/tmp").expect("a file");
        whole.write_all(b"text").expect("written");
        let mut file = steady(whole.reopen().expect("open"), 10).expect("the same");
        assert_eq!(
            file.metadata().expect("metadata").ino(),
            whole.as_file().metadata().expect("metadata").ino()
        );
        let mut text = String::new();
        file.read_to_string(&mut text).expect("read");
        assert_eq!(text, "text");
    }
}
