//! What an operator may write for a repository and a commit. git(1) takes more, some of which runs programs.

use std::path::{Path, PathBuf};

use super::super::super::explain;

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    url: String,
    shown: String,
    scheme: &'static str,
}

const SCHEMES: [&str; 5] = ["https", "ssh", "http", "git", "file"];

impl Remote {
    /// A URL, `HOST:PATH` as of ssh(1), or a path of this machine.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let refuse = |why: &str| {
            let help = "use https://HOST/PATH, ssh://HOST/PATH, HOST:PATH or the path of a repository";
            explain::source(format!("{text:?} {why}"), help)
        };
        if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(refuse("is not the URL of a repository"));
        }
        let of = |scheme, url: String| Self {
            shown: without_password(&url),
            url,
            scheme,
        };
        if let Some((scheme, _)) = text.split_once("://") {
            let known = SCHEMES.into_iter().find(|known| *known == scheme);
            return Ok(of(
                known.ok_or_else(|| refuse("has a scheme that is not supported"))?,
                text.to_owned(),
            ));
        }
        match text.split_once(':') {
            // `ext::PROGRAM` and the like.
            Some((_, rest)) if rest.starts_with(':') => Err(refuse("has a scheme that is not supported")),
            Some((host, _)) if !host.contains('/') => Ok(of("ssh", text.to_owned())),
            _ => Ok(of("file", std::path::absolute(text)?.display().to_string())),
        }
    }

    /// As git takes it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Without a password: this is printed and recorded.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The protocol.
    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The directory of a repository on this machine.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let path = self.url.strip_prefix("file://").unwrap_or(&self.url);
        (self.scheme == "file").then(|| Path::new(path).to_owned())
    }
}

/// `https://user:secret@host/` is `https://user@host/`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority
        .rsplit_once('@')
        .map(|(user, host)| (user.split(':').next().unwrap_or_default(), host))
    {
        Some((user, host)) => format!("{scheme}://{user}@{host}{}", &rest[authority.len()..]),
        None => url.to_owned(),
    }
}

/// Whether this may name a commit, git-check-ref-format(1). Nothing that selects, ranges or is taken for an option.
pub(super) fn is_reference(text: &str) -> bool {
    let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    !text.is_empty()
        && text.len() < 256
        && !text.starts_with(['-', '/', '.'])
        && !text.ends_with(['/', '.'])
        && !text.contains(bad)
        && !["..", "@{", "//"].iter().any(|part| text.contains(part))
}

/// Digits of a commit, enough of them.
pub(super) fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{Remote, is_commit, is_reference};

    #[test]
    fn takes_what_people_write_and_nothing_that_runs_a_program() {
        for (text, scheme) in [
            ("https://example.org/app.git", "https"),
            ("ssh://git@example.org:22/app.git", "ssh"),
            ("git@example.org:team/app.git", "ssh"),
            ("/srv/git/app.git", "file"),
            ("./a:b", "file"),
        ] {
            assert_eq!(Remote::parse(text).expect(text).scheme(), scheme, "{text}");
        }
        for text in [
            "",
            "-uupload",
            "--upload-pack=x",
            "ext::sh -c id",
            "fd::3",
            "gopher://x/y",
            "a\nb",
        ] {
            assert!(Remote::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_password_is_neither_shown_nor_recorded() {
        let remote = Remote::parse("https://ann:s3cret@example.org/app.git").expect("a URL");
        assert_eq!(remote.shown(), "https://ann@example.org/app.git");
        assert!(remote.url().contains("s3cret"));
    }

    #[test]
    fn names_of_commits_are_names_only() {
        for good in ["main", "v1.2.3", "feature/x", "HEAD", "1a2b3c4"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in [
            "",
            "-f",
            "--force",
            "a..b",
            "main~1",
            "main^{tree}",
            "a b",
            "x:y",
            "@{u}",
            "a\0",
        ] {
            assert!(!is_reference(bad), "{bad:?}");
        }
        assert!(is_commit("1a2b3c4") && !is_commit("main") && !is_commit("1a2b"));
    }
}
