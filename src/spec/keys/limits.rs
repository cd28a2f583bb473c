//! The keys of `[limits]`.

use crate::spec::key::{Key, Section};
use crate::spec::kind::{Percent, Size, Whole};

pub(in crate::spec) static LIMITS: Section = Section {
    name: "limits",
    doc: "Kernel limits of each instance. Without a key, systemd's default applies.",
    required: &[],
    keys: &[
        &LIMITS_MEMORY,
        &LIMITS_MEMORY_HIGH,
        &LIMITS_CPU,
        &LIMITS_TASKS,
        &LIMITS_OPEN_FILES,
    ],
};

pub(in crate::spec) static LIMITS_MEMORY: Key<Size> = Key {
    name: "memory",
    aka: &["max_memory_restart", "memory_max", "max_memory", "mem"],
    kind: Size { least: 1 << 20 },
    default: None,
    doc: "Memory above which the kernel kills the instance (MemoryMax=). K, M, G and T are powers of 1024.",
};

pub(in crate::spec) static LIMITS_MEMORY_HIGH: Key<Size> = Key {
    name: "memory_high",
    aka: &["high_memory"],
    kind: Size { least: 1 << 20 },
    default: None,
    doc: "Memory above which the kernel slows the instance down (MemoryHigh=).",
};

pub(in crate::spec) static LIMITS_CPU: Key<Percent> = Key {
    name: "cpu",
    aka: &["cpus", "cpu_quota", "cpu_percent"],
    kind: Percent {
        most: 10_000,
        what: "a percentage of one processor such as \"50%\" or \"150%\"",
        hint: "write one and a half processors as \"150%\", two as \"200%\"",
    },
    default: None,
    doc: "Share of one processor (CPUQuota=): \"150%\" is one and a half.",
};

pub(in crate::spec) static LIMITS_TASKS: Key<Whole> = Key {
    name: "tasks",
    aka: &["threads", "pids", "tasks_max"],
    kind: Whole {
        least: 2,
        most: 4_194_304,
    },
    default: None,
    doc: "Maximum number of processes and threads together (TasksMax=).",
};

pub(in crate::spec) static LIMITS_OPEN_FILES: Key<Whole> = Key {
    name: "open_files",
    aka: &["nofile", "files", "max_files", "limit_nofile"],
    kind: Whole {
        least: 64,
        most: 1_073_741_816,
    },
    default: None,
    doc: "Maximum number of open files and connections together (LimitNOFILE=).",
};
