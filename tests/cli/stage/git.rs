//! A commit: a branch, a tag, a number, its submodules, and what a server may do.

use crate::test::Test;

use super::{again, releases, sh, test, text};

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
        ("--git repo --ref main~1", 3, "does not name a commit"),
        ("--git ext::touch", 3, "a scheme that is not supported"),
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
        let mut request = [0; 64];
        assert!(stream.read(&mut request).expect("a request") > 0);
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
