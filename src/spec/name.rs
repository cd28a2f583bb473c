//! Names that are safe inside unit names, paths and messages by construction.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An app's name: `[a-z0-9][a-z0-9_-]{0,62}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppName(String);

/// Why a text is no [`AppName`] or [`Instance`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// An empty string.
    #[error("a name must not be empty")]
    Empty,
    /// Over 63 characters.
    #[error("a name can have at most 63 characters; this one has {0}")]
    TooLong(usize),
    /// The first character is none of a-z and 0-9.
    #[error("a name must begin with a lower-case letter or a digit, not {0:?}")]
    Begins(char),
    /// A character outside a-z, 0-9, `_` and `-`.
    #[error("a name can contain only a-z, 0-9, '_' and '-', not {0:?}")]
    Character(char),
    /// Not 1, 2, 3 … or `surge`.
    #[error("an instance is a number from 1 up, or \"surge\", not {0:?}")]
    Instance(String),
}

impl AppName {
    const LONGEST: usize = 63;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AppName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let first = text.chars().next().ok_or(InvalidName::Empty)?;
        if !matches!(first, 'a'..='z' | '0'..='9') {
            return Err(InvalidName::Begins(first));
        }
        if let Some(bad) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')) {
            return Err(InvalidName::Character(bad));
        }
        match text.len() {
            ..=Self::LONGEST => Ok(Self(text.to_owned())),
            long => Err(InvalidName::TooLong(long)),
        }
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AppName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<AppName> for String {
    fn from(this: AppName) -> Self {
        this.to_string()
    }
}

/// One instance of an app: the part after `@` in `NAME@1.service`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Instance {
    /// A regular one, from 1.
    Number(u16),
    /// The extra one that stands in during a rollout.
    Surge,
}

impl Instance {
    /// `NODE_APP_INSTANCE` of the surge instance: a number no regular instance has.
    pub const SURGE_INDEX: u16 = 1000;

    /// `NODE_APP_INSTANCE`: from 0, as under PM2.
    pub fn index(self) -> u16 {
        match self {
            Self::Number(n) => n - 1,
            Self::Surge => Self::SURGE_INDEX,
        }
    }
}

impl FromStr for Instance {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == "surge" {
            return Ok(Self::Surge);
        }
        match text.parse() {
            Ok(n) if n >= 1 && !text.starts_with(['0', '+']) => Ok(Self::Number(n)),
            _ => Err(InvalidName::Instance(text.to_owned())),
        }
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Surge => f.write_str("surge"),
        }
    }
}

impl TryFrom<String> for Instance {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Instance> for String {
    fn from(this: Instance) -> Self {
        this.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{AppName, Instance, InvalidName};

    #[test]
    fn takes_what_web_apps_are_called() {
        for good in ["a", "0", "my-app", "my_app-2", &"x".repeat(63)] {
            assert_eq!(good.parse::<AppName>().map(|n| n.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn refuses_what_would_mean_something_to_systemd_or_a_path() {
        let bad = [
            "", ".", "..", "-x", "_x", "a/b", "a@b", "a b", "a\nb", "a\\x2d", "%n", "A", "é", "a.b", "a:b",
        ];
        for name in bad {
            assert!(name.parse::<AppName>().is_err(), "{name:?}");
        }
        assert_eq!("x".repeat(300).parse::<AppName>(), Err(InvalidName::TooLong(300)));
    }

    #[test]
    fn instances_count_from_one_and_node_from_zero() {
        assert_eq!("1".parse(), Ok(Instance::Number(1)));
        assert_eq!("surge".parse(), Ok(Instance::Surge));
        assert_eq!(Instance::Number(1).index(), 0);
        for bad in ["0", "-1", "01", "+1", "x", "", "65536"] {
            assert!(bad.parse::<Instance>().is_err(), "{bad:?}");
        }
    }
}
