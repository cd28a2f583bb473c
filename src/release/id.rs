//! Names of releases: the time they were made, so that their order is the order of their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One release of an app: `20261122T101500Z`, with `-2` and so on behind it when several are made in one second, and the
/// commit's first seven digits, `20261122T101500Z-2-1a2b3c4`, when it is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId {
    // In this order they compare.
    stamp: String,
    turn: u32,
    commit: Option<String>,
}

/// A name that no release has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a release ID such as 20261122T101500Z or 20261122T101500Z-1a2b3c4, not {0:?}")]
pub struct InvalidReleaseId(String);

/// Digits of a commit in a name.
const SHORT: usize = 7;

impl ReleaseId {
    /// The next one in the same second.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            turn: self.turn + 1,
            ..self.clone()
        }
    }

    /// The name of a release made now, `stamp`, of this commit. It comes behind `latest` even when the clock went back.
    pub fn following(stamp: &str, commit: Option<&str>, latest: Option<&Self>) -> Result<Self, InvalidReleaseId> {
        let now: Self = stamp.parse()?;
        let free = match latest {
            Some(latest) if latest.stamp >= now.stamp => latest.next(),
            _ => now,
        };
        let commit = commit
            .and_then(|commit| commit.get(..SHORT))
            .filter(|short| is_commit(short));
        Ok(Self {
            commit: commit.map(str::to_owned),
            ..free
        })
    }

    /// The first digits of the commit it was made from; `None` when that was not git.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }
}

impl FromStr for ReleaseId {
    type Err = InvalidReleaseId;

    fn from_str(text: &str) -> Result<Self, InvalidReleaseId> {
        let parts: Vec<&str> = text.split('-').collect();
        let parsed = match parts[..] {
            [stamp] => Some((stamp, Some(1), None)),
            [stamp, commit] if is_commit(commit) => Some((stamp, Some(1), Some(commit))),
            [stamp, turn] => Some((stamp, turn_of(turn), None)),
            [stamp, turn, commit] if is_commit(commit) => Some((stamp, turn_of(turn), Some(commit))),
            _ => None,
        };
        match parsed {
            Some((stamp, Some(turn), commit)) if is_stamp(stamp) => Ok(Self {
                stamp: stamp.to_owned(),
                turn,
                commit: commit.map(str::to_owned),
            }),
            _ => Err(InvalidReleaseId(text.to_owned())),
        }
    }
}

fn is_stamp(text: &str) -> bool {
    text.len() == 16
        && text.char_indices().all(|(at, c)| match at {
            8 => c == 'T',
            15 => c == 'Z',
            _ => c.is_ascii_digit(),
        })
}

/// Never taken for a turn, which has fewer digits.
fn is_commit(text: &str) -> bool {
    text.len() == SHORT && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

fn turn_of(text: &str) -> Option<u32> {
    let turn = text.parse().ok().filter(|n: &u32| *n >= 2 && n.to_string() == text);
    turn.filter(|_| text.len() < SHORT)
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stamp)?;
        if self.turn > 1 {
            write!(f, "-{}", self.turn)?;
        }
        self.commit.iter().try_for_each(|commit| write!(f, "-{commit}"))
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = InvalidReleaseId;

    fn try_from(text: String) -> Result<Self, InvalidReleaseId> {
        text.parse()
    }
}

impl From<ReleaseId> for String {
    fn from(this: ReleaseId) -> Self {
        this.to_string()
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
    fn carry_the_commit_and_still_sort_by_time() {
        let full = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b";
        let following = |stamp, latest| ReleaseId::following(stamp, Some(full), latest).expect("a stamp");
        let first = following("20261122T101500Z", None);
        assert_eq!(first.to_string(), "20261122T101500Z-1a2b3c4");
        let second = following("20261122T101500Z", Some(&first));
        assert_eq!(second.to_string(), "20261122T101500Z-2-1a2b3c4");
        let clock_went_back = following("20261122T091500Z", Some(&second));
        assert_eq!(clock_went_back.to_string(), "20261122T101500Z-3-1a2b3c4");
        assert!(first < second && second < clock_went_back && clock_went_back < id("20261122T101501Z"));
        for each in [&first, &second, &clock_went_back] {
            assert_eq!(&id(&each.to_string()), each);
        }
    }

    #[test]
    fn a_commit_of_decimal_digits_is_no_turn() {
        let release = id("20261122T101500Z-1234567");
        assert_eq!(release.commit(), Some("1234567"));
        assert!(release < id("20261122T101500Z-2"));
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
            "20261122T101500Z-1A2B3C4",
            "20261122T101500Z-1a2b3c4-2",
            "20261122T101500Z-2-",
            "20261122T101500Z-1a2b3c4d",
        ];
        for text in bad {
            assert!(text.parse::<ReleaseId>().is_err(), "{text:?}");
        }
    }
}
