//! Which systemd reads the units, and what it can do that the oldest supported one cannot.
//!
//! Every key that is written without asking here is known to [`SystemdVersion::OLDEST`].

use std::fmt;
use std::str::FromStr;

/// A major version of systemd, such as 252.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemdVersion(pub u16);

/// A text that begins with no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a systemd version: {0:?}")]
pub struct NoVersion(String);

impl SystemdVersion {
    /// Debian 12 and RHEL 9. What to assume when the version cannot be told.
    pub const OLDEST: Self = Self(252);

    /// The version in the name of systemd's private library, `libsystemd-shared-252.so`, the only place that tells it
    /// without running a program.
    pub fn from_library(file_name: &str) -> Option<Self> {
        let version = file_name.strip_prefix("libsystemd-shared-")?.strip_suffix(".so")?;
        version.parse().ok()
    }

    /// `ProtectControlGroups=strict` of systemd.exec(5): a control group namespace of its own, read-only.
    pub fn has_control_group_namespaces(self) -> bool {
        self >= Self(257)
    }
}

impl FromStr for SystemdVersion {
    type Err = NoVersion;

    /// Takes `257`, `257.13-1~deb13u1` and `255~rc2`.
    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let major = text[..digits].parse();
        major.map(Self).map_err(|_| NoVersion(text.to_owned()))
    }
}

impl fmt::Display for SystemdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SystemdVersion;

    #[test]
    fn reads_what_distributions_call_it() {
        for (text, major) in [("252", 252), ("257.13-1~deb13u1", 257), ("255~rc2", 255)] {
            assert_eq!(text.parse(), Ok(SystemdVersion(major)));
        }
        for bad in ["", "v252", "-1", "99999999"] {
            assert!(bad.parse::<SystemdVersion>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_library_tells_the_version() {
        for (name, version) in [
            ("libsystemd-shared-252.so", Some(252)),
            ("libsystemd-shared-257.4-3.fc42.so", Some(257)),
            ("libsystemd-shared-.so", None),
            ("libsystemd-core-257.so", None),
            ("libsystemd-shared-257.so.bak", None),
        ] {
            assert_eq!(
                SystemdVersion::from_library(name),
                version.map(SystemdVersion),
                "{name}"
            );
        }
    }
}
