//! Where the app runs: the real directory behind `current`, pinned, so that files loaded late are those of the release
//! it was started from. `WorkingDirectory=` of systemd could neither pin it nor say what is wrong.

use std::io;
use std::path::{Path, PathBuf};

/// Goes there; the answer is the real path.
pub(crate) fn enter(directory: &Path) -> Result<PathBuf, String> {
    std::env::set_current_dir(directory)
        .and_then(|()| std::env::current_dir())
        .map_err(|error| problem(directory, &error))
}

fn problem(directory: &Path, error: &io::Error) -> String {
    let shown = directory.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("directory {shown} does not exist"),
        io::ErrorKind::PermissionDenied => format!("directory {shown} may not be entered by the app's user"),
        _ => format!("directory {shown}: {error}"),
    }
}

/// The first file of variables that does not exist. Asked as soon as the shim runs: systemd has just read them, and one
/// that comes back during a wait is for the next shim. One that the app's user cannot see may well be there.
pub(crate) fn missing(files: &[PathBuf]) -> Option<String> {
    let gone = |file: &&PathBuf| matches!(file.try_exists(), Ok(false));
    let file = files.iter().find(gone)?;
    Some(format!("env_file {} does not exist", file.display()))
}

/// The release's id, when `real` lies among the releases of `app` under `state` (`/var/lib/appctl`).
pub(crate) fn release(state: &Path, app: &str, real: &Path) -> Option<String> {
    let id = real.strip_prefix(state.join(app).join("releases")).ok()?;
    let id = id.components().next()?.as_os_str().to_str()?;
    id.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        .then(|| id.to_owned())
}

/// `/var/lib/appctl`, or under `$APPCTL_ROOT`.
pub(crate) fn state() -> PathBuf {
    let root = std::env::var_os("APPCTL_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from);
    root.join("var/lib/appctl")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{enter, missing, release};

    #[test]
    fn a_release_is_named_by_its_directory() {
        let id = |real: &str| release(Path::new("/var/lib/appctl"), "my-app", Path::new(real));
        assert_eq!(
            id("/var/lib/appctl/my-app/releases/20261122T101500Z-2").as_deref(),
            Some("20261122T101500Z-2")
        );
        assert_eq!(
            id("/var/lib/appctl/my-app/releases/20261122T101500Z/web").as_deref(),
            Some("20261122T101500Z")
        );
        for other in [
            "/srv/my-app",
            "/var/lib/appctl/x/releases/1",
            "/var/lib/appctl/my-app/releases",
            "/var/lib/appctl/my-app/releases/a; b",
        ] {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        assert_eq!(
            enter(Path::new("/nowhere/at all")),
            Err("directory /nowhere/at all does not exist".to_owned())
        );
    }

    #[test]
    fn only_a_file_that_is_surely_gone_is_missing() {
        let files = ["/proc/self/environ", "/proc/self/environ/x", "/nowhere.env"].map(Into::into);
        assert_eq!(missing(&files[..2]), None);
        assert_eq!(missing(&files).as_deref(), Some("env_file /nowhere.env does not exist"));
    }
}
