//! Where a release came from. Kept beside the release, not in it: only root can change it, and nothing in a release
//! can pass for it.

use serde::{Deserialize, Serialize};

/// What a release was made from, by whom, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Whether the source was a directory, an archive or git.
    pub kind: Sort,
    /// The source as it was named: a path, a URL, `-`.
    pub source: String,
    /// The branch, tag or commit that was asked for.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commit, all its digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What was in the source and how it is built, as SHA-256: the same digest, the same release.
    pub digest: String,
    /// How it is built, as SHA-256.
    #[serde(default)]
    pub recipe: String,
    /// Bytes of all files of the release.
    pub bytes: u64,
    /// Files, directories and links of the release.
    pub entries: u64,
    /// Bytes that are stored once for this release and the one before.
    #[serde(default)]
    pub bytes_in_common: u64,
    /// Account name of who asked.
    pub who: String,
    /// When it was complete, RFC 3339.
    pub when: String,
}

/// What a release can be made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// A directory of this machine.
    Directory,
    /// An archive, from a file.
    Tarball,
    /// An archive, from standard input.
    Stdin,
    /// A commit of a git repository.
    Git,
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Directory => "directory",
            Self::Tarball => "tarball",
            Self::Stdin => "stdin",
            Self::Git => "git",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Sort};

    #[test]
    fn is_read_back_as_it_was_written() {
        let origin = Origin {
            kind: Sort::Git,
            source: "https://example.org/app.git".to_owned(),
            reference: Some("main".to_owned()),
            commit: Some("1a2b3c4d".to_owned()),
            digest: "ab".repeat(32),
            recipe: "cd".repeat(32),
            bytes: 3,
            entries: 2,
            bytes_in_common: 1,
            who: "ann".to_owned(),
            when: "2026-11-22T10:15:00Z".to_owned(),
        };
        let text = serde_json::to_string(&origin).expect("plain data");
        assert!(
            text.contains(r#""kind":"git""#) && text.contains(r#""ref":"main""#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Origin>(&text).expect("the same shape"), origin);
    }
}
