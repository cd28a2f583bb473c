//! What the kernel says of processes in the box: memory (proc_pid_smaps(5)) and CPU time (`schedstat` of proc(5), which
//! counts nanoseconds where `stat` counts hundredths of a second).

use anyhow::{Context, Result};

use crate::scene::Scene;

/// Kibibytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Memory {
    pub(crate) pss: f64,
    pub(crate) anonymous: f64,
}

/// The memory of several processes together.
pub(crate) fn memory(scene: &Scene, pids: &[u32]) -> Result<Memory> {
    let mut sum = Memory::default();
    for pid in pids {
        let text = scene.read(&format!("/proc/{pid}/smaps_rollup"))?;
        let one = parse_memory(&text).with_context(|| format!("the memory of {pid}"))?;
        sum.pss += one.pss;
        sum.anonymous += one.anonymous;
    }
    Ok(sum)
}

fn parse_memory(smaps_rollup: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = smaps_rollup.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        pss: field("Pss:")?,
        anonymous: field("Anonymous:")?,
    })
}

/// CPU time of several processes with all their living threads, milliseconds.
pub(crate) fn cpu(scene: &Scene, pids: &[u32]) -> Result<f64> {
    let mut sum = 0.0;
    for pid in pids {
        let script = format!("cat /proc/{pid}/task/*/schedstat");
        sum += parse_cpu(&scene.run(&["sh", "-c", &script])?).with_context(|| format!("the CPU time of {pid}"))?;
    }
    Ok(sum)
}

fn parse_cpu(schedstats: &str) -> Option<f64> {
    let nanoseconds = |line: &str| line.split_whitespace().next()?.parse::<f64>().ok();
    let sum: Option<f64> = schedstats.lines().map(nanoseconds).sum();
    sum.filter(|_| !schedstats.is_empty()).map(|sum| sum / 1e6)
}

#[cfg(test)]
mod tests {
    use super::{Memory, parse_cpu, parse_memory};

    #[test]
    fn reads_what_the_kernel_rolled_up() {
        let text = "00400000-7ffc00000000 ---p 00000000 00:00 0 [rollup]\nRss: 300 kB\nPss:  120 kB\nPss_Dirty: 9 kB\n\
                    Anonymous:   80 kB\n";
        let expected = Memory {
            pss: 120.0,
            anonymous: 80.0,
        };
        assert_eq!(parse_memory(text), Some(expected));
        assert_eq!(parse_memory(""), None);
    }

    #[test]
    fn adds_up_the_threads() {
        assert_eq!(parse_cpu("1500000 7 3\n500000 1 1\n"), Some(2.0));
        assert_eq!(parse_cpu(""), None);
    }
}
