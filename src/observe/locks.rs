//! Who holds a lock of flock(2): `/proc/locks`, `proc_locks(5)`; and since when a process has been there: `/proc/PID/stat`.

use super::mounts::device;

/// Whether a process holds a lock on a file, which its device and inode name: `1: FLOCK  ADVISORY  WRITE 4711 00:1a:812 0 EOF`.
/// Without the device the inode alone decides.
pub fn is_held(locks: &str, pid: u32, file: Option<(u32, u32)>, inode: u64) -> bool {
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, holder, place, ..] = words[..] else {
            return false;
        };
        let Some((on, number)) = place.rsplit_once(':') else {
            return false;
        };
        let here = file.is_none() || device(on, 16) == file;
        here && holder.parse() == Ok(pid) && number.parse() == Ok(inode)
    })
}

/// When a process began, in ticks since the machine did: with its number it names a process for good.
pub fn began(stat: &str) -> Option<u64> {
    // The name in parentheses may have anything in it.
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{began, is_held};

    const LOCKS: &str = "\
1: POSIX  ADVISORY  WRITE 4711 00:1a:812 0 EOF
2: FLOCK  ADVISORY  WRITE 4711 00:1b:812 0 EOF
2: -> FLOCK  ADVISORY  WRITE 4712 00:1a:812 0 EOF
3: FLOCK  ADVISORY  WRITE 4713 00:1a:812 0 EOF
";

    #[test]
    fn the_same_inode_of_another_device_is_another_file() {
        let held = |pid| is_held(LOCKS, pid, Some((0, 0x1a)), 812);
        assert_eq!([held(4711), held(4712), held(4713)], [false, false, true]);
        assert!(is_held(LOCKS, 4711, Some((0, 0x1b)), 812));
        assert!(is_held(LOCKS, 4711, None, 812));
        assert!(!is_held(LOCKS, 4713, Some((0, 0x1a)), 81));
    }

    #[test]
    fn a_process_may_be_called_anything() {
        let stat = "4711 (a) R 1 2) S 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 2000";
        assert_eq!(began(stat), Some(987_654));
        assert_eq!(began("4711 (x) Z 1"), None);
    }
}
