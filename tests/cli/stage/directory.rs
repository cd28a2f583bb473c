//! A directory: what comes along, what is shared between releases, and with what was before.

use std::path::Path;

use super::{again, releases, test, text};

#[test]
fn a_directory_comes_without_what_its_ignore_files_name() {
    let test = test("")
        .file("app/server.js", "1")
        .file("app/.gitignore", "*.log\n/dist\n/secret\nnode_modules\n")
        .file("app/.appctlignore", "!dist\nnotes\n")
        .file("app/sub/.gitignore", "!keep.log\n")
        .file("app/a.log", "")
        .file("app/sub/keep.log", "kept")
        .file("app/dist/out.js", "built")
        .file("app/secret/key", "")
        .file("app/notes", "")
        .file("app/node_modules/x/dist/a.log", "a package's own")
        .file("app/.git/config", "")
        .args("stage web app");
    let output = test.exits(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        said.contains("left out by ignore files: ") && said.contains("secret"),
        "{said}"
    );
    let release = &releases(&test)[0];
    for kept in ["server.js", "sub/keep.log", "dist/out.js", "node_modules/x/dist/a.log"] {
        assert!(release.join(kept).exists(), "{kept}");
    }
    for out in ["a.log", "secret", "notes", ".git"] {
        assert!(!release.join(out).exists(), "{out}");
    }
}

#[test]
fn what_is_missing_for_a_node_app_is_said() {
    let test = test("")
        .file("app/package.json", r#"{"dependencies":{"express":"4"}}"#)
        .args("stage web app");
    let output = test.exits(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(said.contains("neither node_modules nor a build step"), "{said}");
}

#[test]
fn the_same_content_is_one_release_and_a_changed_file_shares_the_rest() {
    use std::os::unix::fs::MetadataExt as _;
    let test = test("")
        .file("app/server.js", "1")
        .file("app/big", &"x".repeat(3 << 20))
        .args("stage web app");
    test.exits(0);
    let output = test.exits(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("is there already"));
    assert_eq!(releases(&test).len(), 1);
    let test = again(test.file("app/server.js", "2"), "stage web app");
    test.exits(0);
    let [old, new] = &releases(&test)[..] else {
        panic!("two releases")
    };
    let inode = |release: &Path, name| release.join(name).metadata().expect("metadata").ino();
    assert_eq!(inode(old, "big"), inode(new, "big"));
    assert_eq!(
        (text(old, "server.js"), text(new, "server.js")),
        (Some("1".into()), Some("2".into()))
    );
    again(test, "stage web app --force").exits(0);
}

#[test]
fn a_file_that_was_changed_by_hand_is_not_shared() {
    let test = test("").file("app/a", "good").file("app/b", "1").args("stage web app");
    test.exits(0);
    std::fs::write(releases(&test)[0].join("a"), "evil").expect("root may");
    let test = again(test.file("app/b", "2"), "stage web app");
    test.exits(0);
    assert_eq!(text(&releases(&test)[1], "a").as_deref(), Some("good"));
}

#[test]
fn what_is_shared_is_linked_and_its_first_version_is_the_releases() {
    let test = test("shared = [\"uploads/\", \"etc/app.json\", \".env\"]\n")
        .file("app/server.js", "1")
        .file("app/uploads/first", "kept")
        .args("stage web app");
    let output = test.exits(0);
    assert!(
        String::from_utf8_lossy(&output.get_output().stdout)
            .contains(".env is listed in `shared`, but does not exist yet")
    );
    let release = &releases(&test)[0];
    let link = |name: &str| std::fs::read_link(release.join(name)).expect("a link");
    assert_eq!(link("uploads"), Path::new("../../shared/uploads"));
    assert_eq!(link("etc/app.json"), Path::new("../../../shared/etc/app.json"));
    assert_eq!(text(release, "uploads/first").as_deref(), Some("kept"));
    std::fs::write(release.join("uploads/second"), "of the app").expect("through the link");
    let test = again(
        test.file("app/server.js", "2").file("app/uploads/first", "other"),
        "stage web app",
    );
    test.exits(0);
    let new = &releases(&test)[1];
    assert_eq!(text(new, "uploads/first").as_deref(), Some("kept"));
    assert_eq!(text(new, "uploads/second").as_deref(), Some("of the app"));
}

#[test]
fn shared_directories_that_the_app_made_links_are_not_followed() {
    let test = test("shared = [\"a/b\"]\n")
        .file("app/a/b/f", "x")
        .file("outside/f", "kept")
        .args("stage web app");
    let shared = test.path("root/var/lib/appctl/web/shared");
    std::fs::create_dir_all(&shared).expect("a directory");
    std::os::unix::fs::symlink(test.path("outside"), shared.join("a")).expect("a link");
    test.exits(1);
    assert!(!test.path("outside/b").exists());
    assert_eq!(releases(&test).len(), 0);
}
