//! Releases from every sort of source, in a moved tree: what needs neither systemd nor another account.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::test::Test;

mod archive;
mod directory;
mod git;

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
        ("cut", "truncated"),
        ("whole", "more than 3 files"),
        ("many", "more than 3 files"),
        ("links", "outside the directory"),
        ("root", "contains the releases"),
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
