//! Where and with what it was measured. Nothing in the numbers means anything without it. Pure.

use serde::Serialize;

/// Versions, machine, date.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct About {
    /// `2026-11-22`, UTC.
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cpus: usize,
    pub(crate) kernel: String,
    pub(crate) system: String,
    pub(crate) systemd: String,
    pub(crate) node: String,
    pub(crate) pm2: String,
    pub(crate) appctl: String,
    /// What repeats it.
    pub(crate) command: String,
    /// Shortened runs say little.
    pub(crate) quick: bool,
}

impl About {
    /// One paragraph below the table.
    pub(super) fn sentence(&self) -> String {
        let quick = if self.quick {
            " A short run: noise, no result."
        } else {
            ""
        };
        format!(
            "{} on {} ({} CPUs), Linux {}, in a container of {} with systemd {} and Node {}; PM2 {}, appctl {}. \
             Repeat it with `{}`.{quick}",
            self.date,
            self.cpu,
            self.cpus,
            self.kernel,
            self.system,
            self.systemd,
            self.node,
            self.pm2,
            self.appctl,
            self.command
        )
    }
}

/// The first `model name` of /proc/cpuinfo.
pub(crate) fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    let (_, model) = line.split_once(':')?;
    Some(model.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::cpu_model;

    #[test]
    fn the_cpu_is_named_once() {
        let text = "processor\t: 0\nmodel name\t: Some  CPU 9\nprocessor\t: 1\nmodel name\t: Some  CPU 9\n";
        assert_eq!(cpu_model(text).as_deref(), Some("Some CPU 9"));
        assert_eq!(cpu_model("processor\t: 0\n"), None);
    }
}
