//! What a directory of files in git cannot hold, and the command line.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use super::run::{GENERATOR, generate};

const GOOD: &str = "exec = \"node server.js\"\nlisten = 3000\n";

/// A root with these files under `etc/appctl/apps`, beside one good app.
fn root(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary directory");
    let apps = root.path().join("etc/appctl/apps");
    fs::create_dir_all(&apps).expect("ours");
    fs::write(apps.join("good.toml"), GOOD).expect("ours");
    for (name, bytes) in files {
        fs::write(apps.join(name), bytes).expect("ours");
    }
    root
}

/// The only complaint, after the good app got its units all the same.
fn complaint(root: &Path) -> String {
    let made = generate(root, 252);
    assert_eq!(made.status, 1);
    assert!(made.units.0.contains_key("good.service"), "{:?}", made.units.0.keys());
    let lines: Vec<_> = made.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0]
        .strip_prefix("<3>appctl-generator[PID]: ")
        .expect("a priority")
        .to_owned()
}

fn run(root: &Path, arguments: &[&str]) -> Output {
    Command::new(GENERATOR)
        .env("APPCTL_ROOT", root)
        .args(arguments)
        .output()
        .expect("the generator runs")
}

#[test]
fn a_fifo_does_not_hold_up_the_boot() {
    let root = root(&[]);
    let path = root.path().join("etc/appctl/apps/fifo.toml");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("ours");
    assert_eq!(
        complaint(root.path()),
        "/etc/appctl/apps/fifo.toml: is not a regular file"
    );
}

#[test]
fn files_that_no_spec_can_be_are_refused() {
    let large = vec![b'#'; (1 << 20) + 1];
    assert_eq!(
        complaint(root(&[("x.toml", &large)]).path()),
        "/etc/appctl/apps/x.toml: is larger than 1 MiB"
    );
    assert_eq!(
        complaint(root(&[("x.toml", b"\xff")]).path()),
        "/etc/appctl/apps/x.toml: is not UTF-8 text"
    );
    let directory = root(&[]);
    fs::create_dir(directory.path().join("etc/appctl/apps/x.toml")).expect("ours");
    assert_eq!(
        complaint(directory.path()),
        "/etc/appctl/apps/x.toml: is not a regular file"
    );
}

#[test]
fn the_largest_file_is_still_read() {
    let mut text = GOOD.replace("3000", "3001").into_bytes();
    text.resize(1 << 20, b'\n');
    assert_eq!(generate(root(&[("x.toml", &text)]).path(), 252).status, 0);
}

#[test]
fn a_name_cannot_break_a_line_of_the_log() {
    let message = complaint(root(&[("a\n<0>b.toml", GOOD.as_bytes())]).path());
    assert!(
        message.starts_with("/etc/appctl/apps/a\\n<0>b.toml: ignored"),
        "{message}"
    );
}

#[test]
fn nothing_configured_is_no_error() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let made = generate(root.path(), 252);
    assert_eq!((made.status, made.units.0.len(), made.stderr.as_str()), (0, 0, ""));
}

#[test]
fn never_writes_through_what_stands_there_already() {
    let (root, out) = (root(&[]), tempfile::tempdir().expect("a temporary directory"));
    let victim = root.path().join("victim");
    fs::write(&victim, "kept").expect("ours");
    symlink(&victim, out.path().join("good.service")).expect("ours");
    let output = run(root.path(), &[out.path().to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(victim).expect("still there"), "kept");
}

#[test]
fn dry_run_prints_what_would_be_written() {
    let root = root(&[]);
    let output = run(root.path(), &["--dry-run"]);
    let printed = String::from_utf8(output.stdout).expect("text");
    for (name, text) in generate(root.path(), 252).units.0 {
        assert!(printed.contains(&format!("# {name}")), "{name}");
        assert!(printed.contains(text.trim()), "{name}");
    }
}

#[test]
fn takes_one_directory_or_three() {
    let root = root(&[]);
    for wrong in [&[][..], &["a", "b"], &["a", "b", "c", "d"], &["--help"]] {
        let output = run(root.path(), wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stderr.starts_with(b"usage: "));
    }
    assert!(
        run(root.path(), &["--version"])
            .stdout
            .starts_with(b"appctl-generator 0.")
    );
}

#[test]
fn the_version_is_read_from_the_library() {
    let root = root(&[("strict.toml", b"exec = 'node x.js'\nsandbox = 'strict'\n")]);
    let library = root.path().join("usr/lib/x86_64-linux-gnu/systemd");
    fs::create_dir_all(&library).expect("ours");
    let groups = || {
        String::from_utf8(run(root.path(), &["--dry-run"]).stdout)
            .expect("text")
            .contains("ControlGroups=strict")
    };
    assert!(!groups());
    fs::write(library.join("libsystemd-shared-257.so"), "").expect("ours");
    assert!(groups());
}
