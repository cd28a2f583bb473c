//! Where the app runs: the real directory behind `current`, pinned, so that files loaded late are those of the release
//! it was started from; a pin goes before `current`. `WorkingDirectory=` of systemd could neither pin it nor say what is wrong.

use std::io;
use std::path::{Path, PathBuf};

use appctl::contract::paths;

/// The release an instance is pinned to while a rollout is under way, else `directory`, which is `current` of an app with
/// releases. A pin is a link of root's whose target is a release's id; it does not outlive the machine.
pub(crate) fn chosen(directory: &Path, app: &str, instance: &str) -> Result<PathBuf, String> {
    let releases = state().join(app);
    if directory != releases.join(paths::CURRENT) {
        return Ok(directory.to_owned());
    }
    let pin = root().join(paths::RUN).join(app).join(paths::PINS).join(instance);
    pinned(directory, &releases.join(paths::RELEASES), &pin)
}

fn pinned(directory: &Path, releases: &Path, pin: &Path) -> Result<PathBuf, String> {
    let target = match std::fs::read_link(pin) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(directory.to_owned()),
        Err(error) => return Err(format!("pin {}: {error}", pin.display())),
    };
    match target.to_str().filter(|id| is_id(id)) {
        Some(id) => Ok(releases.join(id)),
        None => Err(format!("pin {} does not name a release", pin.display())),
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

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
        io::ErrorKind::PermissionDenied => format!("directory {shown} cannot be entered by the app's user"),
        _ => format!("directory {shown}: {error}"),
    }
}

/// The release's id, when `real` lies among the releases of `app` under `state` (`/var/lib/appctl`).
pub(crate) fn release(state: &Path, app: &str, real: &Path) -> Option<String> {
    let id = real.strip_prefix(state.join(app).join(paths::RELEASES)).ok()?;
    let id = id.components().next()?.as_os_str().to_str()?;
    is_id(id).then(|| id.to_owned())
}

/// `/var/lib/appctl`, or under `$APPCTL_ROOT`.
pub(crate) fn state() -> PathBuf {
    root().join(paths::STATE)
}

fn root() -> PathBuf {
    std::env::var_os(paths::ROOT_VARIABLE).map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{chosen, enter, pinned, release};

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
    fn a_pin_goes_before_current_and_names_a_release_or_nothing() {
        let folder = tempfile::tempdir().expect("a directory");
        let (current, releases) = (Path::new("/s/current"), Path::new("/s/releases"));
        let place = |target: &str| {
            let pin = folder.path().join("1");
            let _ = std::fs::remove_file(&pin);
            std::os::unix::fs::symlink(target, &pin).expect("a link");
            pinned(current, releases, &pin)
        };
        let id = "20261122T101500Z-2-1a2b3c4";
        assert_eq!(place(id), Ok(releases.join(id)));
        for bad in ["..", "../../etc", "/etc", "a/b", "."] {
            assert!(place(bad).is_err(), "{bad}");
        }
        assert_eq!(pinned(current, releases, &folder.path().join("2")), Ok(current.into()));
    }

    #[test]
    fn an_app_in_place_knows_no_pins() {
        assert_eq!(chosen(Path::new("/srv/app"), "app", "1"), Ok("/srv/app".into()));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        assert_eq!(
            enter(Path::new("/nowhere/at all")),
            Err("directory /nowhere/at all does not exist".to_owned())
        );
    }
}
