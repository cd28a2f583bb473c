//! Unit files of this machine that bear the name of an app's unit and are none of appctl's: of a package, or of the
//! administrator. Directories as in systemd.unit(5), table 1.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::spec::AppName;
use crate::unit::{self, Part};

/// Where unit files lie, and what comes first: theirs or ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A package's. A unit of the generator would hide it.
    Packaged,
    /// The administrator's. It hides the generator's.
    Local,
    /// Made while the machine runs, by other generators and programs.
    Made,
}

const DIRECTORIES: [(&str, Place); 12] = [
    ("usr/local/lib/systemd/system", Place::Packaged),
    ("usr/lib/systemd/system", Place::Packaged),
    ("lib/systemd/system", Place::Packaged),
    ("etc/systemd/system", Place::Local),
    ("etc/systemd/system.attached", Place::Local),
    ("run/systemd/system", Place::Local),
    ("run/systemd/system.attached", Place::Local),
    ("run/systemd/system.control", Place::Local),
    ("run/systemd/transient", Place::Made),
    ("run/systemd/generator.early", Place::Made),
    ("run/systemd/generator", Place::Made),
    ("run/systemd/generator.late", Place::Made),
];

/// Above any unit of the generator's.
const LARGEST: u64 = 1 << 20;

/// A unit file that is not the app's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The unit's name.
    pub unit: String,
    /// The file, as seen from inside the root.
    pub path: PathBuf,
    /// Where it is.
    pub place: Place,
}

/// All unit files that an app could mistake for its own, listed once for all apps.
#[derive(Debug)]
pub struct UnitFiles {
    root: PathBuf,
    by_app: BTreeMap<AppName, Vec<Taken>>,
}

impl UnitFiles {
    /// Lists the directories below `root` that `wanted` picks. One that cannot be read has no units.
    pub fn look(root: &Path, wanted: impl Fn(Place) -> bool) -> Self {
        let mut by_app: BTreeMap<AppName, Vec<Taken>> = BTreeMap::new();
        for (directory, place) in DIRECTORIES.into_iter().filter(|(_, place)| wanted(*place)) {
            for unit in names(&root.join(directory)) {
                if let Some((app, Part::Generated)) = unit::app_of(&unit) {
                    let path = Path::new("/").join(directory).join(&unit);
                    by_app.entry(app).or_default().push(Taken { unit, path, place });
                }
            }
        }
        let root = root.to_owned();
        Self { root, by_app }
    }

    /// The first file that is not the app's.
    pub fn foreign(&self, app: &AppName) -> Option<&Taken> {
        let mut all = self.by_app.get(app).into_iter().flatten();
        all.find(|taken| is_foreign(&self.root, app, taken))
    }
}

/// In order, so that the same tree gives the same answer.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Not foreign: what masks a unit of the app, and an edited copy of one (`systemctl edit --full`).
fn is_foreign(root: &Path, app: &AppName, taken: &Taken) -> bool {
    if taken.place == Place::Packaged {
        return true;
    }
    let path = root.join(taken.path.strip_prefix("/").unwrap_or(&taken.path));
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => {
            fs::read_link(&path).is_ok_and(|target| target != Path::new("/dev/null"))
        }
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => false,
        Ok(metadata) if metadata.is_file() => !read(&path).is_some_and(|text| unit::is_made_for(app, &text)),
        _ => false,
    }
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path)
        .ok()?
        .take(LARGEST)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{Place, UnitFiles};

    fn foreign(root: &Path) -> Option<String> {
        let files = UnitFiles::look(root, |_| true);
        let taken = files.foreign(&"web".parse().expect("a name"));
        taken.map(|taken| taken.path.display().to_string())
    }

    #[test]
    fn every_unit_and_every_directory_counts() {
        for file in [
            "usr/lib/systemd/system/web.service",
            "usr/local/lib/systemd/system/web@.service",
            "etc/systemd/system/web@1.service",
            "run/systemd/system/web.socket",
            "etc/systemd/system/web.hold.service",
            "etc/systemd/system/web.retry@.service",
            "usr/lib/systemd/system/appctl-web.slice",
            "run/systemd/generator.late/web.service",
            "run/systemd/transient/web.service",
        ] {
            let root = tempfile::tempdir().expect("a directory");
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("below the root")).expect("ours");
            fs::write(&path, "[Service]\nExecStart=/bin/true\n").expect("ours");
            assert_eq!(foreign(root.path()), Some(format!("/{file}")));
        }
    }

    #[test]
    fn what_is_the_apps_own_does_not() {
        let root = tempfile::tempdir().expect("a directory");
        let (etc, generated) = (
            root.path().join("etc/systemd/system"),
            root.path().join("run/systemd/generator"),
        );
        fs::create_dir_all(etc.join("web.service.d")).expect("ours");
        fs::create_dir_all(&generated).expect("ours");
        symlink("/dev/null", etc.join("web.retry@.service")).expect("ours");
        fs::write(etc.join("web@2.service"), "").expect("ours");
        for copy in [etc.join("web.service"), generated.join("web.service")] {
            fs::write(copy, "[Unit]\nSourcePath=/etc/appctl/applied/web.toml\n").expect("ours");
        }
        assert_eq!(foreign(root.path()), None);
        symlink("/usr/lib/systemd/system/other.service", etc.join("web.socket")).expect("ours");
        assert_eq!(foreign(root.path()).as_deref(), Some("/etc/systemd/system/web.socket"));
    }

    #[test]
    fn only_what_was_asked_for_is_listed() {
        let root = tempfile::tempdir().expect("a directory");
        let made = root.path().join("run/systemd/transient");
        fs::create_dir_all(&made).expect("ours");
        fs::write(made.join("web.service"), "x").expect("ours");
        let files = UnitFiles::look(root.path(), |place| place != Place::Made);
        assert_eq!(files.foreign(&"web".parse().expect("a name")), None);
    }
}
