//! Releases from every sort of source, in a moved tree: what needs neither systemd nor another account.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::test::Test;

const APP: &str = "exec = \"node server.js\"\nlisten = 3000\n";

fn test(deploy: &str) -> Test {
    Test::new().wanted("web", &format!("{APP}[deploy]\n{deploy}"))
}

fn sh(test: &Test, program: &str, arguments: &[&str]) {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(test.path(""))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@b")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@b")])
        .output()
        .expect("it runs");
    assert!(status.status.success(), "{program} {arguments:?}: {status:?}");
}

/// Complete releases, oldest first; nothing else may lie among them.
fn releases(test: &Test) -> Vec<PathBuf> {
    let state = test.path("root/var/lib/appctl/web");
    assert!(
        !state.join("intake").exists() && !state.join("build").exists(),
        "something is left behind"
    );
    let entries = std::fs::read_dir(state.join("releases")).expect("a directory");
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    let hidden = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'))
    };
    assert!(!all.iter().any(hidden), "{all:?}");
    all.sort_by_key(|path| path.metadata().expect("metadata").modified().expect("a time"));
    all
}

fn text(release: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(release.join(name)).ok()
}

fn again(test: Test, line: &str) -> Test {
    test.no_args().args(line)
}

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
        said.contains("left out, as ignore files say: ") && said.contains("secret"),
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
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains(".env is shared and not there yet"));
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

#[test]
fn archives_of_every_compression_come_from_files_and_standard_input() {
    for (flag, name) in [("", "a.tar"), ("--gzip", "misnamed"), ("--zstd", "a.tar.zst")] {
        let test = test("")
            .file("app/server.js", "1")
            .file("app/lib/x.js", "2")
            .args(&format!("stage web {name}"));
        let compress: Vec<&str> = Some(flag).into_iter().filter(|flag| !flag.is_empty()).collect();
        sh(
            &test,
            "tar",
            &[&compress[..], &["--create", "--file", name, "--directory", "app", "."]].concat(),
        );
        test.exits(0);
        assert_eq!(text(&releases(&test)[0], "lib/x.js").as_deref(), Some("2"), "{name}");
        let bytes = std::fs::read(test.path(name)).expect("a file");
        let output = again(test, "stage web - --json").stdin(bytes).exits(0);
        let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
        assert!(said.contains(r#""existing":true"#), "{said}");
    }
}

#[test]
fn the_one_directory_of_an_archive_is_the_app() {
    let test = test("").file("app/server.js", "1").args("stage web a.tgz");
    sh(&test, "tar", &["--create", "--gzip", "--file", "a.tgz", "app"]);
    test.exits(0);
    assert_eq!(text(&releases(&test)[0], "server.js").as_deref(), Some("1"));
}

#[test]
fn bad_sources_make_no_release_and_leave_nothing() {
    let test = test("max_files = 3\n")
        .file("app/server.js", "1")
        .file("zip", "PK\u{3}\u{4}")
        .file("empty", "")
        .file("many/1", "")
        .file("many/2", "")
        .file("many/3", "")
        .file("many/4", "");
    sh(&test, "tar", &["--create", "--gzip", "--file", "whole", "many"]);
    let whole = std::fs::read(test.path("whole")).expect("a file");
    std::fs::write(test.path("cut"), &whole[..whole.len() / 2]).expect("a file");
    std::fs::create_dir(test.path("links")).expect("a directory");
    std::os::unix::fs::symlink("/etc/shadow", test.path("links/REVISION")).expect("a link");
    let mut test = test;
    for (source, words) in [
        ("gone", "cannot be read"),
        ("zip", "zip file"),
        ("empty", "empty file"),
        ("cut", "cut off"),
        ("whole", "more than 3 files"),
        ("many", "more than 3 files"),
        ("links", "leaves the directory"),
        ("root", "holds the releases"),
        ("/dev/null", "neither a directory nor a regular file"),
    ] {
        test = again(test, "stage web").arg(source);
        let output = test.exits(3);
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(said.contains(words) && said.contains("help:"), "{source}: {said}");
        assert_eq!(releases(&test).len(), 0, "{source}");
    }
}

#[test]
fn an_app_in_place_has_no_releases() {
    let file = format!("{APP}directory = \"/srv/web\"\n");
    let test = Test::new().wanted("web", &file).args("stage web app");
    test.exits(3);
    assert!(!test.path("root/var").exists());
}

fn repository(test: Test) -> Test {
    let test = test.file("repo/server.js", "1");
    sh(&test, "git", &["init", "-q", "-b", "main", "repo"]);
    commit(&test, "one");
    sh(&test, "git", &["-C", "repo", "tag", "v1"]);
    test
}

fn commit(test: &Test, message: &str) {
    sh(test, "git", &["-C", "repo", "add", "-A"]);
    sh(test, "git", &["-C", "repo", "commit", "-q", "-m", message]);
}

#[test]
fn a_commit_is_named_in_its_release_and_fetched_once() {
    let test = repository(test("")).args("stage web --git repo --ref v1");
    test.exits(0);
    let release = releases(&test).remove(0);
    let head = std::fs::read_to_string(test.path("repo/.git/refs/heads/main")).expect("a commit");
    let name = release.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(name.ends_with(&format!("Z-{}", &head[..7])), "{name} of {head}");
    assert!(!release.join(".git").exists());
    let test = again(test, &format!("stage web --git repo --ref {}", &head[..10]));
    let output = test.exits(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("is there already"));
    let test = test.file("repo/server.js", "2").file("repo/new", "");
    commit(&test, "two");
    let test = again(test, "stage web --git repo");
    test.exits(0);
    assert_eq!(text(&releases(&test)[1], "server.js").as_deref(), Some("2"));
    let test = again(test, "stage web --git repo --ref v1 --force");
    test.exits(0);
    let back = &releases(&test)[2];
    assert!(text(back, "server.js").as_deref() == Some("1") && !back.join("new").exists());
}

#[test]
fn submodules_come_along() {
    let test = test("").file("lib/x.js", "of the library");
    sh(&test, "git", &["init", "-q", "-b", "main", "lib"]);
    sh(&test, "git", &["-C", "lib", "add", "-A"]);
    sh(&test, "git", &["-C", "lib", "commit", "-q", "-m", "x"]);
    let test = repository(test).args("stage web --git repo");
    let lib = test.path("lib");
    let lib = lib.to_str().expect("text");
    sh(
        &test,
        "git",
        &[
            "-C",
            "repo",
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            lib,
            "lib",
        ],
    );
    commit(&test, "submodule");
    test.exits(0);
    let release = &releases(&test)[0];
    assert_eq!(text(release, "lib/x.js").as_deref(), Some("of the library"));
    assert!(!release.join("lib/.git").exists());
}

#[test]
fn no_hook_runs_even_when_one_lies_in_the_kept_clone() {
    use std::os::unix::fs::PermissionsExt as _;
    let test = repository(test("")).args("stage web --git repo");
    test.exits(0);
    let clones = test.path("root/var/lib/appctl/web/git");
    let clone = std::fs::read_dir(clones)
        .expect("a directory")
        .next()
        .expect("a clone")
        .expect("an entry")
        .path();
    let (hook, ran) = (clone.join(".git/hooks/post-checkout"), test.path("ran"));
    std::fs::create_dir_all(clone.join(".git/hooks")).expect("a directory");
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", ran.display())).expect("a hook");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let test = test.file("repo/server.js", "2");
    commit(&test, "two");
    test.exits(0);
    assert!(!ran.exists(), "the hook ran");
    sh(
        &test,
        "git",
        &[
            "-C",
            clone.to_str().expect("text"),
            "checkout",
            "--quiet",
            "--detach",
            "HEAD~1",
        ],
    );
    assert!(ran.exists(), "the hook is one that would run");
}

#[test]
fn what_git_cannot_give_is_told_apart() {
    let mut test = repository(test(""));
    for (line, code, words) in [
        ("--git repo --ref nowhere", 3, "no branch, tag or commit \"nowhere\""),
        ("--git repo --ref main~1", 3, "no name of a commit"),
        ("--git ext::touch", 3, "a scheme that is not taken"),
        ("--git gone", 1, "git fetch failed"),
        ("--git http://127.0.0.1:1/x", 1, "git fetch failed"),
    ] {
        test = again(test, &format!("stage web {line}"));
        let output = test.exits(code);
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(said.contains(words) && said.contains("help:"), "{line}: {said}");
        assert_eq!(releases(&test).len(), 0, "{line}");
    }
}

#[test]
fn a_server_that_dies_in_the_middle_changes_nothing() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 4];
        stream.read_exact(&mut request).expect("a request");
        // The length of a line that never comes.
        stream.write_all(b"00ff").expect("the beginning");
    });
    let test = test("").args(&format!("stage web --git git://127.0.0.1:{port}/app"));
    let output = test.exits(1);
    server.join().expect("it ends");
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("git fetch failed"), "{said}");
    assert_eq!(releases(&test).len(), 0);
}
