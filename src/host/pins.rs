//! Which release serves, and which instances run another one for the time of a rollout: `current` is durable, pins
//! (`/run/appctl/NAME/pin/INSTANCE`) go with the machine's memory.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::files::{self, FileError};
use super::releases;
use super::tree::{self, TreeError};
use crate::contract::paths::RELEASES;
use crate::release::{AppPaths, ReleaseId};
use crate::spec::Instance;

/// Makes a release the live one, or none: durably, and at once for whoever starts from now on.
pub fn make_live(paths: AppPaths<'_>, id: Option<&ReleaseId>) -> Result<(), FileError> {
    match id {
        Some(id) => files::switch_link(&paths.current(), &Path::new(RELEASES).join(id.to_string())),
        None => files::remove(&paths.current()).map(drop),
    }
}

/// From its next start on the instance runs this release, whatever is live.
pub fn pin(paths: AppPaths<'_>, instance: Instance, id: &ReleaseId) -> Result<(), FileError> {
    let folder = paths.pins();
    // The app's user has to get there, whatever the umask of whoever types this.
    for place in [paths.run(), folder.clone()] {
        open_to_all(&place).map_err(FileError::io("create", &place))?;
    }
    files::switch_link(&folder.join(instance.to_string()), Path::new(&id.to_string()))
}

fn open_to_all(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

/// From their next start on all instances run what is live.
pub fn unpin_all(paths: AppPaths<'_>) -> Result<(), TreeError> {
    tree::remove(&paths.pins()).map(drop)
}

/// Who is pinned to what.
pub fn all(paths: AppPaths<'_>) -> Result<BTreeMap<Instance, ReleaseId>, FileError> {
    let folder = paths.pins();
    let pin = |name: String| {
        let target = std::fs::read_link(folder.join(&name)).ok()?;
        Some((name.parse().ok()?, target.to_str()?.parse().ok()?))
    };
    Ok(releases::names(&folder)?.into_iter().filter_map(pin).collect())
}

#[cfg(test)]
mod tests {
    use super::{all, make_live, pin, unpin_all};
    use crate::host::releases::live;
    use crate::release::{Layout, ReleaseId};
    use crate::spec::Instance;

    #[test]
    fn pins_come_and_go_and_what_is_live_stays() {
        let root = tempfile::tempdir().expect("a directory");
        let (layout, app) = (Layout::below(root.path()), "a".parse().expect("a name"));
        let [one, two]: [ReleaseId; 2] = ["20261122T101500Z", "20261122T101501Z"].map(|id| id.parse().expect("an id"));
        std::fs::create_dir_all(layout.of(&app).release(&one)).expect("a directory");
        make_live(layout.of(&app), Some(&one)).expect("switched");
        pin(layout.of(&app), Instance::Surge, &two).expect("pinned");
        pin(layout.of(&app), Instance::Number(1), &one).expect("pinned");
        pin(layout.of(&app), Instance::Number(1), &two).expect("pinned anew");
        let pins = all(layout.of(&app)).expect("readable");
        assert_eq!(
            pins.into_iter().collect::<Vec<_>>(),
            [(Instance::Number(1), two.clone()), (Instance::Surge, two)]
        );
        unpin_all(layout.of(&app)).expect("unpinned");
        assert!(all(layout.of(&app)).expect("readable").is_empty());
        assert_eq!(live(layout.of(&app)), Some(one));
        make_live(layout.of(&app), None).expect("switched");
        assert_eq!(live(layout.of(&app)), None);
    }
}
