//! How many processors we may use: the affinity mask and the CPU quotas of the control groups above, from kernel text.
//! Not `/proc/cpuinfo`: a container sees all processors of its host in there.

/// Processors in the line `Cpus_allowed_list:` of `/proc/self/status`, proc(5): `0-3,8` is five.
pub fn allowed(status: &str) -> Option<u16> {
    let ranges = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let counts = ranges.trim().split(',').map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from, to): (u16, u16) = (from.parse().ok()?, to.parse().ok()?);
        to.checked_sub(from)?.checked_add(1)
    });
    counts.sum::<Option<u16>>().filter(|count| *count > 0)
}

/// Whole processors that a `cpu.max` of cgroup v2 pays for, rounded up; `None` without a quota.
pub fn quota(cpu_max: &str) -> Option<u16> {
    let (quota, period) = cpu_max.trim().split_once(' ')?;
    let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
    let processors = quota.checked_add(period)?.checked_sub(1)?.checked_div(period)?;
    u16::try_from(processors.max(1)).ok()
}

/// Our own control group in `/proc/self/cgroup`, as a path below `/sys/fs/cgroup`: the line of cgroup v2.
pub fn own_group(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::/"))
}

/// The least of all that limits us; 1 when nothing is known.
pub fn usable(allowed: Option<u16>, quotas: impl IntoIterator<Item = u16>) -> u16 {
    allowed.into_iter().chain(quotas).min().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::{allowed, own_group, quota, usable};

    #[test]
    fn counts_the_processors_of_the_mask() {
        let status =
            |list: &str| format!("Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t{list}\nMems_allowed:\t1\n");
        for (list, count) in [("0", 1), ("0-3", 4), ("0-3,8", 5), ("1,3,5-6", 4)] {
            assert_eq!(allowed(&status(list)), Some(count));
        }
        for bad in ["", "x", "3-1", "0-70000"] {
            assert_eq!(allowed(&status(bad)), None, "{bad}");
        }
        assert_eq!(allowed("Name:\tx\n"), None);
    }

    #[test]
    fn a_part_of_a_processor_counts_as_one() {
        for (text, processors) in [
            ("max 100000\n", None),
            ("100000 100000\n", Some(1)),
            ("150000 100000\n", Some(2)),
            ("1000 100000\n", Some(1)),
            ("800000 100000\n", Some(8)),
            ("1 0", None),
            ("", None),
        ] {
            assert_eq!(quota(text), processors, "{text:?}");
        }
    }

    #[test]
    fn the_tightest_limit_holds() {
        assert_eq!(own_group("1:cpu:/x\n0::/init.scope\n"), Some("init.scope"));
        assert_eq!(usable(Some(8), [4, 2]), 2);
        assert_eq!(usable(Some(8), []), 8);
        assert_eq!(usable(None, []), 1);
    }
}
