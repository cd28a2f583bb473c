//! What systemd itself says of units on a stage, and drop-ins to take a single line out of one. See systemctl(1).

use anyhow::Result;

use crate::{Host, Stage};

impl Stage {
    /// Runs `systemctl`; it must exit with 0.
    pub fn systemctl(&self, words: &[&str]) -> Result<String> {
        self.host().run_ok(&[&["systemctl"], words].concat())
    }

    /// One property of a unit, as systemctl(1) prints it.
    pub fn property(&self, unit: &str, property: &str) -> Result<String> {
        let text = self.systemctl(&["show", "--value", "--property", property, unit])?;
        Ok(text.trim_end().to_owned())
    }

    /// `active`, `inactive`, `failed`, `activating`, `deactivating`.
    pub fn activity(&self, unit: &str) -> Result<String> {
        self.property(unit, "ActiveState")
    }

    /// `ActiveState` of several units, in their order.
    pub fn activities(&self, units: &[&str]) -> Result<Vec<String>> {
        units.iter().map(|unit| self.activity(unit)).collect()
    }

    /// Changes a generated unit through a drop-in and has systemd read it.
    pub fn drop_in(&self, unit: &str, text: &str) -> Result<()> {
        self.host()
            .write_file(&format!("/etc/systemd/system/{unit}.d/lab.conf"), text)?;
        self.systemctl(&["daemon-reload"]).map(drop)
    }
}
