//! An archive from anywhere: nothing is made outside its directory.

use std::path::Path;

use appctl::host::archive::unpack;
use appctl::host::tree::Bounds;

pub(crate) fn check(bytes: &[u8]) {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a directory");
    let top = folder.path().join("outside/top");
    std::fs::create_dir_all(&top).expect("a directory");
    let bounds = Bounds {
        entries: 64,
        bytes: 1 << 20,
    };
    _ = unpack(bytes, &top, bounds);
    assert_eq!(names(folder.path()), ["outside"]);
    assert_eq!(names(&folder.path().join("outside")), ["top"]);
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name()).collect()
}
