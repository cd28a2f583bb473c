//! Files of a control group, cgroups(7) and the kernel's `cgroup-v2.rst`: text in, numbers out.

use std::time::Duration;

/// Memory and CPU time that a control group uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory in use, bytes; `None` when the kernel does not count it.
    pub memory: Option<u64>,
    /// Processor time since the instance started.
    pub cpu: Option<Duration>,
}

/// Bytes in the text of `memory.current`; `None` when it is not a number.
pub fn memory_current(text: &str) -> Option<u64> {
    text.trim_end().parse().ok()
}

/// CPU time in the text of `cpu.stat` (`usage_usec`); `None` without that line.
pub fn cpu_usage(text: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
    line.trim_end().parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::{cpu_usage, memory_current};
    use std::time::Duration;

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(memory_current("4206592\n"), Some(4_206_592));
        assert_eq!(
            cpu_usage("usage_usec 1500000\nuser_usec 1\n"),
            Some(Duration::from_millis(1500))
        );
    }

    #[test]
    fn a_kernel_that_does_not_count_says_nothing() {
        assert_eq!(memory_current("max\n"), None);
        assert_eq!(cpu_usage("nr_periods 0\n"), None);
    }
}
