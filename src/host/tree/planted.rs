//! A name of a file, put by one account where another reads. The kernel forbids that by default, `protected_hardlinks` of
//! proc(5), and not everywhere.

use nix::libc::stat;
use nix::sys::stat::SFlag;

/// Whether an account that may not read a file may have given it its name in this directory: the file has further names,
/// not all may read it, and the directory is another account's.
pub fn is_planted(directory: &stat, file: &stat, reader: u32) -> bool {
    let regular = file.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits();
    let hidden = file.st_mode & 0o004 == 0;
    let written_by_others = directory.st_mode & 0o022 != 0;
    let foreign = directory.st_uid != 0 && directory.st_uid != reader && directory.st_uid != file.st_uid;
    regular && file.st_nlink > 1 && hidden && (written_by_others || foreign)
}

#[cfg(test)]
mod tests {
    use super::is_planted;
    use nix::libc::stat;

    const WORK: u32 = 1000;
    const ANN: u32 = 1001;

    fn of(path: &str, uid: u32, mode: u32, names: u64) -> stat {
        let mut stat = nix::sys::stat::stat(path).expect("it is there");
        (stat.st_uid, stat.st_nlink) = (uid, names);
        stat.st_mode = stat.st_mode & 0o170_000 | mode;
        stat
    }

    #[test]
    fn a_hidden_file_in_the_directory_of_another_account_is_planted() {
        let (directory, open) = (of("/", WORK, 0o755, 2), of("/", 0, 0o1777, 2));
        assert!(is_planted(&directory, &of("/etc/passwd", 0, 0o600, 2), 0));
        assert!(is_planted(&directory, &of("/etc/passwd", ANN, 0o600, 2), ANN));
        assert!(is_planted(&open, &of("/etc/passwd", 0, 0o640, 2), 0));
        // The only name, a file for all to read, and an account's own file in its own directory.
        assert!(!is_planted(&directory, &of("/etc/passwd", 0, 0o600, 1), 0));
        assert!(!is_planted(&directory, &of("/etc/passwd", 0, 0o644, 2), 0));
        assert!(!is_planted(&directory, &of("/etc/passwd", WORK, 0o600, 2), WORK));
        assert!(!is_planted(&of("/", 0, 0o755, 2), &of("/etc/passwd", 0, 0o600, 2), 0));
    }
}
