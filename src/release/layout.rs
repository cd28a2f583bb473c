//! Where the files of apps are, hier(7). Paths only: nothing here looks at the disk.

use std::path::{Path, PathBuf};

use super::ReleaseId;
use crate::contract::paths;
use crate::spec::{AppName, Instance};

/// The directories of all apps, below one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below `root`; `/` on a real machine.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// What all paths are below.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether this is some other tree than the machine's own.
    pub fn is_moved(&self) -> bool {
        self.root != Path::new("/")
    }

    /// What operators want: one TOML file per app.
    pub fn apps(&self) -> PathBuf {
        self.root.join(paths::WANTED)
    }

    /// What was last checked and applied; the generator reads these first.
    pub fn applied(&self) -> PathBuf {
        self.root.join(paths::APPLIED)
    }

    /// Variables that `appctl env` keeps; for root only.
    pub fn env(&self) -> PathBuf {
        self.root.join(paths::ENV)
    }

    /// Parent of the state of all apps.
    pub fn all_state(&self) -> PathBuf {
        self.root.join(paths::STATE)
    }

    /// The files of one app.
    pub fn of<'p>(&'p self, app: &'p AppName) -> AppPaths<'p> {
        AppPaths { layout: self, app }
    }
}

/// Where the files of one app are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppPaths<'p> {
    layout: &'p Layout,
    app: &'p AppName,
}

impl<'p> AppPaths<'p> {
    /// The app.
    pub fn app(self) -> &'p AppName {
        self.app
    }

    /// The directories of all apps.
    pub fn layout(self) -> &'p Layout {
        self.layout
    }

    /// The file an operator edits.
    pub fn wanted_file(self) -> PathBuf {
        self.layout.apps().join(format!("{}.toml", self.app))
    }

    /// The copy of the app's file that is in force.
    pub fn applied_file(self) -> PathBuf {
        self.layout.applied().join(format!("{}.toml", self.app))
    }

    /// Those that are wanted for one app.
    pub fn env_file(self) -> PathBuf {
        self.layout.env().join(format!("{}.env", self.app))
    }

    /// The copy of the app's variables that is in force.
    pub fn applied_env_file(self) -> PathBuf {
        self.layout.env().join(format!("{}.applied", self.app))
    }

    /// Releases and data of one app.
    pub fn state(self) -> PathBuf {
        self.layout.all_state().join(self.app.as_str())
    }

    /// All releases of one app.
    pub fn releases(self) -> PathBuf {
        self.state().join(paths::RELEASES)
    }

    /// The directory of one release.
    pub fn release(self, id: &ReleaseId) -> PathBuf {
        self.releases().join(id.to_string())
    }

    /// What is known of the releases: `ID.json` where it came from, `ID.files` what is in it.
    pub fn about(self) -> PathBuf {
        self.state().join("about")
    }

    /// Where a release came from, see [`super::Origin`].
    pub fn origin_file(self, id: &ReleaseId) -> PathBuf {
        self.about().join(format!("{id}.json"))
    }

    /// What is in a release, see [`super::Manifest`].
    pub fn manifest_file(self, id: &ReleaseId) -> PathBuf {
        self.about().join(format!("{id}.files"))
    }

    /// What all releases have in common, of the app's user.
    pub fn shared(self) -> PathBuf {
        self.state().join("shared")
    }

    /// A private directory for archives that are unpacked and for checkouts, of the account that fills it.
    pub fn intake(self) -> PathBuf {
        self.state().join("intake")
    }

    /// Clones that are kept, so that the next deploy fetches only what is new; one for each account that fetches.
    pub fn clones(self) -> PathBuf {
        self.state().join("git")
    }

    /// Where a release is built, `StateDirectory=` of the build.
    pub fn build(self) -> PathBuf {
        self.state().join("build")
    }

    /// The link to the live release, relative to its own folder: `releases/ID`.
    pub fn current(self) -> PathBuf {
        self.state().join(paths::CURRENT)
    }

    /// The app's own state, `$STATE_DIRECTORY`.
    pub fn data(self) -> PathBuf {
        self.state().join(paths::DATA)
    }

    /// Where systemd keeps the state of an app that runs as a transient user; `data` is a link there, systemd.exec(5).
    pub fn private_state(self) -> PathBuf {
        self.layout.root.join("var/lib/private/appctl").join(self.app.as_str())
    }

    /// Lock and record of rollouts.
    pub fn run(self) -> PathBuf {
        self.layout.root.join(paths::RUN).join(self.app.as_str())
    }

    /// Which instances run another release than the live one: links named after them.
    pub fn pins(self) -> PathBuf {
        self.run().join(paths::PINS)
    }

    /// The last rollout of a release; outlives the machine.
    pub fn journal(self) -> PathBuf {
        self.state().join("rollout.json")
    }

    /// Why a release is bad; no file for the others.
    pub fn bad_file(self, id: &ReleaseId) -> PathBuf {
        self.about().join(format!("{id}.bad"))
    }

    /// Private sockets of one instance, `RuntimeDirectory=`.
    pub fn instance(self, instance: Instance) -> PathBuf {
        self.run().join(instance.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use std::path::Path;

    #[test]
    fn is_the_documented_one() {
        let layout = Layout::below("/");
        let app = "my-app".parse().expect("a name");
        let id = "20261122T101500Z".parse().expect("an id");
        assert_eq!(layout.of(&app).wanted_file(), Path::new("/etc/appctl/apps/my-app.toml"));
        assert_eq!(
            layout.of(&app).release(&id),
            Path::new("/var/lib/appctl/my-app/releases/20261122T101500Z")
        );
        assert!(!layout.is_moved());
        assert!(Layout::below("/tmp/x").is_moved());
    }
}
