//! How large a session's share of the processors is while all of them are busy: "The autogroup feature" of sched(7).
//! systemd gives every service a session, and Debian's kernels group by it, unless a control group weighs instead.

use std::fs;

/// Nine times the share of a session that nobody has changed: the weight of this nice value.
const HASTE: &str = "-10";
const USUAL: &str = "0";

/// The session of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autogroup {
    /// What the kernel calls it, `/autogroup-123`.
    pub name: String,
    pid: u32,
}

impl Autogroup {
    /// That of a process; `None` without autogroups, and while the process has none of its own: between fork(2) and
    /// setsid(2) it is still in the one of PID 1, whose share is none of our business.
    pub fn of(pid: u32) -> Option<Self> {
        let name = name(pid).filter(|name| self::name(1).as_ref() != Some(name))?;
        Some(Self { name, pid })
    }

    /// More than its share. Does nothing where that is not allowed.
    pub fn raise(&self) {
        self.set(HASTE);
    }

    /// The usual share again.
    pub fn settle(&self) {
        self.set(USUAL);
    }

    /// Only as long as the process is there: its number may have gone to another since.
    fn set(&self, nice: &str) {
        if name(self.pid).as_ref() == Some(&self.name) {
            let _ = fs::write(file(self.pid), nice);
        }
    }
}

/// The first word of `/autogroup-123 nice 0`.
fn name(pid: u32) -> Option<String> {
    let text = fs::read_to_string(file(pid)).ok()?;
    text.split_whitespace().next().map(str::to_owned)
}

fn file(pid: u32) -> String {
    format!("/proc/{pid}/autogroup")
}
