use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::{Owner, Why, walk, walk_if_any};

fn why(path: &Path) -> Option<Why> {
    walk(path, Owner::Us).err().map(|untrusted| untrusted.why)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn programs_of_the_system_are_trusted_by_any_name() {
    for path in ["/bin/sh", "/usr/bin/../bin/env", "/dev/null"] {
        assert!(why(Path::new(path)).is_none(), "{path}: {:?}", why(Path::new(path)));
    }
}

#[test]
fn a_directory_or_a_file_that_others_can_write_is_not() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("writable");
    assert!(why(&file).is_none(), "{:?}", why(&file));
    mode(&file, 0o664);
    assert!(matches!(why(&file), Some(Why::Mode(0o664))));
    mode(&file, 0o644);
    mode(folder.path(), 0o777);
    let error = walk(&file, Owner::Us).expect_err("its directory can be written");
    assert_eq!(error.path, folder.path());
    mode(folder.path(), 0o1777);
    assert!(why(&file).is_none(), "others cannot replace it");
}

#[test]
fn a_link_is_followed_where_only_its_owner_could_make_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let link = folder.path().join("link");
    symlink("/bin/sh", &link).expect("writable");
    let real = walk(&link, Owner::Us).expect("ours").real;
    assert_eq!(real, fs::canonicalize("/bin/sh").expect("a shell"));
    mode(folder.path(), 0o1777);
    assert!(matches!(why(&link), Some(Why::Link)));
    mode(folder.path(), 0o777);
    assert!(matches!(why(&link), Some(Why::Mode(_))));
    mode(folder.path(), 0o700);
    symlink("loop", folder.path().join("loop")).expect("writable");
    assert!(matches!(why(&folder.path().join("loop")), Some(Why::Io(_))));
}

#[test]
fn what_is_missing_is_harmless_only_where_no_other_account_could_make_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let missing = folder.path().join("a/b");
    assert!(
        walk_if_any(&missing, Owner::Us)
            .expect("only we could make it")
            .is_none()
    );
    mode(folder.path(), 0o1777);
    let error = walk_if_any(&missing, Owner::Us).expect_err("others could");
    assert!(matches!(error.why, Why::AnyoneMayMake), "{error}");
}
