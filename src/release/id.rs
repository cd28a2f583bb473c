//! Names of releases: the time they were made, so that their order is the order of their names.

use std::fmt;
use std::str::FromStr;

/// One release of an app: `20261122T101500Z`, with `-2` and so on behind it when several are made in one second.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseId {
    stamp: String,
    turn: u32,
}

/// A name that no release has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a release is named like 20261122T101500Z, not {0:?}")]
pub struct InvalidReleaseId(String);

impl ReleaseId {
    /// The next one in the same second.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            stamp: self.stamp.clone(),
            turn: self.turn + 1,
        }
    }
}

impl FromStr for ReleaseId {
    type Err = InvalidReleaseId;

    fn from_str(text: &str) -> Result<Self, InvalidReleaseId> {
        let invalid = || InvalidReleaseId(text.to_owned());
        let (stamp, turn) = match text.split_once('-') {
            Some((stamp, turn)) => (
                stamp,
                turn.parse().ok().filter(|n: &u32| *n >= 2 && n.to_string() == turn),
            ),
            None => (text, Some(1)),
        };
        let shape = stamp.len() == 16
            && stamp.char_indices().all(|(at, c)| match at {
                8 => c == 'T',
                15 => c == 'Z',
                _ => c.is_ascii_digit(),
            });
        let turn = turn.filter(|_| shape).ok_or_else(invalid)?;
        Ok(Self {
            stamp: stamp.to_owned(),
            turn,
        })
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stamp)?;
        if self.turn > 1 {
            write!(f, "-{}", self.turn)
        } else {
            Ok(())
        }
    }
}

impl PartialOrd for ReleaseId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ReleaseId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.stamp, self.turn).cmp(&(&other.stamp, other.turn))
    }
}

#[cfg(test)]
mod tests {
    use super::ReleaseId;

    fn id(text: &str) -> ReleaseId {
        text.parse().expect("a release id")
    }

    #[test]
    fn several_in_one_second_keep_their_order() {
        let first = id("20261122T101500Z");
        let tenth = (0..9).fold(first.clone(), |id, _| id.next());
        assert_eq!(first.next().to_string(), "20261122T101500Z-2");
        assert_eq!(tenth.to_string(), "20261122T101500Z-10");
        assert!(first < first.next() && first.next() < tenth && tenth < id("20261122T101501Z"));
        assert_eq!(id(&tenth.to_string()), tenth);
    }

    #[test]
    fn refuses_what_would_leave_the_folder_of_releases() {
        let bad = [
            "",
            ".",
            "..",
            "current",
            "20261122T101500",
            "20261122T101500Z-1",
            "20261122T101500Z-02",
            "../../etc/shadow",
        ];
        for text in bad {
            assert!(text.parse::<ReleaseId>().is_err(), "{text:?}");
        }
    }
}
