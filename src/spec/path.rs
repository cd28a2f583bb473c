//! Paths that are safe in unit files: absolute, in their shortest form, without control characters.

/// Why a text is no path for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// An empty string.
    #[error("the path is empty")]
    Empty,
    /// `~/x`, which only a shell expands.
    #[error("only a shell expands `~`; write the absolute path")]
    Home,
    /// Does not begin with `/`.
    #[error("{0:?} is not an absolute path")]
    Relative(String),
    /// `.`, `..`, `//` or a slash at the end.
    #[error("{0:?} must not contain `.`, `..`, a double slash or a trailing slash")]
    Roundabout(String),
    /// A character below space, or DEL, or NEL and the like.
    #[error("a path must not contain control characters; this one has {0:?}")]
    Control(char),
    /// Over 4095 bytes, or a part over 255.
    #[error("a path can have at most 4095 bytes, and each component at most 255")]
    TooLong,
}

/// Accepts `/` and `/a/b`.
pub(super) fn check(text: &str) -> Result<(), InvalidPath> {
    let first = text.chars().next().ok_or(InvalidPath::Empty)?;
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(InvalidPath::Control(control));
    }
    if text.len() > 4095 || text.split('/').any(|part| part.len() > 255) {
        return Err(InvalidPath::TooLong);
    }
    match first {
        '/' => {}
        '~' => return Err(InvalidPath::Home),
        _ => return Err(InvalidPath::Relative(text.to_owned())),
    }
    let roundabout = text.len() > 1 && text[1..].split('/').any(|part| matches!(part, "" | "." | ".."));
    if roundabout {
        Err(InvalidPath::Roundabout(text.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidPath, check};

    #[test]
    fn absolute_and_in_shortest_form() {
        for good in ["/", "/a", "/a/b.c", "/a b/%n/$x", "/..a/..."] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["/a/", "/a//b", "//a", "/a/../b", "/a/.", "/.."] {
            assert_eq!(check(bad), Err(InvalidPath::Roundabout(bad.into())), "{bad}");
        }
        assert_eq!(check(""), Err(InvalidPath::Empty));
        assert_eq!(check("a/b"), Err(InvalidPath::Relative("a/b".into())));
        assert_eq!(check("~/b"), Err(InvalidPath::Home));
        assert_eq!(check("/a\nb"), Err(InvalidPath::Control('\n')));
        assert_eq!(check("/a\0"), Err(InvalidPath::Control('\0')));
        assert_eq!(check(&format!("/{}", "x".repeat(256))), Err(InvalidPath::TooLong));
        assert_eq!(check(&"/x".repeat(2048)), Err(InvalidPath::TooLong));
    }
}
