//! The releases of Debian the lab knows, and what each is expected to carry.

use std::fmt;
use std::str::FromStr;

/// One release of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debian {
    /// 12, "bookworm": systemd 252, Node 18.
    Twelve,
    /// 13, "trixie": systemd 257, Node 20.
    Thirteen,
}

impl Debian {
    /// Every release the lab can boot, oldest first.
    pub const ALL: [Self; 2] = [Self::Twelve, Self::Thirteen];

    /// The number people know it by.
    pub const fn number(self) -> u8 {
        match self {
            Self::Twelve => 12,
            Self::Thirteen => 13,
        }
    }

    /// The archive's name for it.
    pub const fn suite(self) -> &'static str {
        match self {
            Self::Twelve => "bookworm",
            Self::Thirteen => "trixie",
        }
    }

    /// The major version of its systemd.
    pub const fn systemd(self) -> u16 {
        match self {
            Self::Twelve => 252,
            Self::Thirteen => 257,
        }
    }

    /// The major version of its Node.js.
    pub const fn node(self) -> u16 {
        match self {
            Self::Twelve => 18,
            Self::Thirteen => 20,
        }
    }
}

impl fmt::Display for Debian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Debian {}", self.number())
    }
}

impl FromStr for Debian {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = |debian: &Self| text == debian.number().to_string() || text == debian.suite();
        Self::ALL
            .into_iter()
            .find(known)
            .ok_or_else(|| format!("no such Debian in the lab: {text} (12 or 13)"))
    }
}
