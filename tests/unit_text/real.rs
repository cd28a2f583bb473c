//! The same question put to systemd itself: `systemd --test` loads the units without running anything and prints what it
//! understood, and its own reader of files of variables. Also systemd-escape(1), for the slice's name.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use appctl::spec::AppSpec;
use appctl::unit::environment;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::{hostile, plain, units, value};

const SYSTEMD: &str = "/usr/lib/systemd/systemd";
const ENVIRONMENT_READER: &str = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator";
const NOBODY: u32 = 65534;

/// A thousand texts, the same ones in every run.
fn samples(texts: impl Strategy<Value = String>) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let mut one = || texts.new_tree(&mut runner).expect("every text is accepted").current();
    (0..1000).map(|_| one()).collect()
}

/// What systemd prints after loading the units of `spec` and everything they pull in.
fn understood(spec: &AppSpec) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("our directory");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("our directory");
    for target in ["sysinit", "basic", "shutdown", "network", "sockets", "umount"] {
        write(&format!("{target}.target"), "[Unit]\nDefaultDependencies=no\n");
    }
    for unit in units(spec) {
        write(&unit.name, &unit.to_string());
    }
    dump(dir.path(), "my-app@surge.service")
}

fn dump(units: &Path, unit: &str) -> Vec<u8> {
    let mut systemd = Command::new(SYSTEMD);
    systemd.args(["--test", "--system", "--no-pager", &format!("--unit={unit}")]);
    systemd
        .env("SYSTEMD_UNIT_PATH", units)
        .env("SYSTEMD_LOG_LEVEL", "warning");
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        // It refuses to test as root.
        systemd.uid(NOBODY).gid(NOBODY);
    }
    let output = systemd.output().expect("systemd is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Splits what systemd prints as `Command Line:`, quoted for a POSIX shell.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![Vec::new()];
    let mut rest = line.bytes();
    let mut quoted = false;
    while let Some(byte) = rest.next() {
        let word = words.last_mut().expect("never empty");
        match byte {
            b'"' => quoted = !quoted,
            b' ' if !quoted => words.push(Vec::new()),
            b'\\' => word.push(escaped(&mut rest)),
            byte => word.push(byte),
        }
    }
    words
        .into_iter()
        .map(|word| String::from_utf8(word).expect("text goes in as UTF-8"))
        .collect()
}

fn escaped(rest: &mut impl Iterator<Item = u8>) -> u8 {
    let mut next = || rest.next().expect("an escape is complete");
    match next() {
        b'a' => 7,
        b'b' => 8,
        b't' => 9,
        b'n' => 10,
        b'v' => 11,
        b'f' => 12,
        b'r' => 13,
        high @ b'0'..=b'3' => (high - b'0') * 64 + (next() - b'0') * 8 + (next() - b'0'),
        other => other,
    }
}

#[test]
fn systemd_understands_every_argument() {
    let exec = samples(hostile());
    let output = understood(&AppSpec {
        exec: exec.clone(),
        ..plain()
    });
    let output = String::from_utf8_lossy(&output);
    let mut lines = output
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Command Line: "));
    let line = lines
        .rfind(|line| line.contains(" -- my-app surge "))
        .expect("the instance was loaded");
    let words = shell_words(line);
    let from = words.iter().position(|word| word == "--").expect("the options end");
    assert_eq!(words[from + 1..from + 3], ["my-app", "surge"]);
    assert_eq!(words[from + 3..], exec);
}

/// What systemd's reader of such files makes of one, name by name. This caller of it expands `$`, which PID 1 does not.
fn read_by_systemd(text: &str) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let folder = dir.path().join("environment.d");
    fs::create_dir(&folder).expect("our directory");
    fs::write(folder.join("my-app.conf"), text).expect("our directory");
    let mut reader = Command::new(ENVIRONMENT_READER);
    let output = reader
        .env("XDG_CONFIG_HOME", dir.path())
        .output()
        .expect("systemd is installed");
    let text = String::from_utf8(output.stdout).expect("it escapes what is no text");
    let one = |line: &str| {
        let (name, value) = line.split_once('=').expect("an assignment");
        // Quoted for a shell, in one word.
        Some((name.to_owned(), shell_words(value).concat()))
    };
    text.lines().filter_map(one).collect()
}

#[test]
fn systemd_understands_every_variable() {
    let values = samples(value().prop_map(|text| text.replace('$', "_")))
        .into_iter()
        .enumerate();
    let env: Vec<_> = values.map(|(n, value)| (format!("V{n}"), value)).collect();
    let app = AppSpec {
        env: env.clone(),
        ..plain()
    };
    let (name, text) = environment(&app).expect("there are variables");
    assert_eq!(name, "my-app.env");
    let found = read_by_systemd(&text);
    for (key, value) in env {
        // This caller takes an empty value for no variable, environment.d(5); PID 1 does not.
        let expected = (!value.is_empty()).then_some(&value);
        assert_eq!(found.get(&key), expected, "{key}");
    }
}

#[test]
fn escapes_as_systemd_does() {
    let texts = samples("[ -~é]{1,20}".prop_map(|text: String| text));
    let output = Command::new("systemd-escape")
        .arg("--")
        .args(&texts)
        .output()
        .expect("systemd is installed");
    let theirs = String::from_utf8(output.stdout).expect("escaped text is ASCII");
    let ours: Vec<_> = texts.iter().map(|text| appctl::unit::escape(text)).collect();
    assert_eq!(theirs.trim_end().split(' ').collect::<Vec<_>>(), ours);
}
