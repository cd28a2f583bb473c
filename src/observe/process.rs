//! What proc(5) says of one process.

/// When it began, in ticks since the machine did: `/proc/PID/stat`. The second field may hold anything, blanks and
/// parentheses too. `None` for one that has ended and was not waited for yet.
pub fn start_time(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // It is the 22nd of all, and the state the third.
    fields.nth(18)?.parse().ok()
}

/// Its control group, `/proc/PID/cgroup`; `None` where there is no unified hierarchy.
pub fn own_group(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// Whether it ignores a signal, `/proc/PID/status`.
pub fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    (1..=64).contains(&signal) && mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::{ignores, own_group, start_time};

    #[test]
    fn a_name_cannot_shift_the_fields() {
        let stat = |name: &str, state: &str| {
            format!("42 ({name}) {state} 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1024 3 184\n")
        };
        for name in ["node", "a b", ") R 1 (", "x) S 9"] {
            assert_eq!(start_time(&stat(name, "S")), Some(98_765), "{name}");
        }
        assert_eq!(start_time(&stat("node", "Z")), None);
        assert_eq!(start_time(""), None);
    }

    #[test]
    fn a_signal_is_a_bit_of_the_mask() {
        let status = "Name:\tx\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        let ignored: Vec<i32> = (-1..=65).filter(|signal| ignores(status, *signal)).collect();
        assert_eq!(ignored, [1, 13]);
        assert!(!ignores("", 1));
    }

    #[test]
    fn the_group_is_that_of_the_unified_hierarchy() {
        let both = "1:name=systemd:/x\n0::/appctl.slice/appctl-web.slice/web.service\n";
        assert_eq!(own_group(both), Some("/appctl.slice/appctl-web.slice/web.service"));
        assert_eq!(own_group("1:name=systemd:/x\n"), None);
    }
}
