//! The configuration before and after a change, beside the record of the rollout that makes it. It may hold secrets: for
//! root only.

use super::replace;
use crate::drive::Texts;
use crate::host::files::{self, FileError};
use crate::release::AppPaths;

const BEFORE: &str = "before.toml";
const AFTER: &str = "after.toml";
const ENV_BEFORE: &str = "before.env";
const ENV_AFTER: &str = "after.env";

/// Keeps both texts of a change, for a way back that a later process may have to take.
pub fn write_texts(paths: AppPaths<'_>, texts: &Texts) -> Result<(), FileError> {
    let all = [
        (BEFORE, &texts.before),
        (AFTER, &texts.after),
        (ENV_BEFORE, &texts.env_before),
        (ENV_AFTER, &texts.env_after),
    ];
    for (name, text) in all {
        let path = paths.run().join(name);
        match text {
            Some(text) => replace(&path, text, 0o600).map_err(FileError::io("write", &path))?,
            None => drop(files::remove(&path)?),
        }
    }
    Ok(())
}

/// The texts of the last change.
pub fn read_texts(paths: AppPaths<'_>) -> Result<Texts, FileError> {
    let text = |name| files::read_config_if_any(&paths.run().join(name));
    Ok(Texts {
        before: text(BEFORE)?,
        after: text(AFTER)?,
        env_before: text(ENV_BEFORE)?,
        env_after: text(ENV_AFTER)?,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Texts, read_texts, write_texts};
    use crate::release::Layout;

    #[test]
    fn configuration_is_kept_for_root_only_and_absence_is_kept_too() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let both = Texts {
            before: Some("x".into()),
            after: Some("y".into()),
            env_before: None,
            env_after: Some("A=1".into()),
        };
        write_texts(layout.of(&app), &both).expect("writable");
        let mode = std::fs::metadata(layout.of(&app).run().join("before.toml")).expect("there");
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        let first = Texts { before: None, ..both };
        write_texts(layout.of(&app), &first).expect("writable");
        assert_eq!(read_texts(layout.of(&app)).expect("readable"), first);
    }
}
