//! Starts that cannot be: each says why, with an exit status of its own.

use std::fs;
use std::process::Command;

use crate::harness::{Lab, shim_path};

#[test]
fn is_not_started_without_its_sockets() {
    let mut shim = Lab::new("--sockets=1").start(&["sh", "-c", "echo started"]);
    assert_eq!(shim.exit_code(), Some(78));
    let said = "started without its sockets: 1 configured, 0 inherited";
    assert!(shim.stderr().contains(said));
    assert!(shim.notified("STATUS=failed").ends_with(said));
    assert_eq!(shim.stdout(), "");
}

#[test]
fn is_not_started_with_a_variable_to_increment_that_is_no_number() {
    let start = |value| {
        Lab::new("--increment=METRICS_PORT")
            .instance("3")
            .env("METRICS_PORT", value)
            .start(&["sh", "-c", "echo $METRICS_PORT"])
    };
    let mut shim = start("9100");
    shim.printed("9102");
    shim.exit_code();
    let mut shim = start("high");
    assert_eq!(shim.exit_code(), Some(78));
    shim.logged("METRICS_PORT is \"high\", not a whole number");
}

#[test]
fn is_not_started_with_something_that_does_not_listen() {
    let lab = Lab::new("--sockets=1");
    let (stream, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let mut shim = lab.pass(stream, "web.socket").start(&["true"]);
    assert_eq!(shim.exit_code(), Some(78));
    assert!(
        shim.stderr()
            .contains("inherited socket \"web.socket\" does not listen"),
        "{}",
        shim.stderr()
    );
}

#[test]
fn sockets_meant_for_another_process_are_not_taken() {
    let lab = Lab::new("--sockets=1");
    let run = Command::new(shim_path())
        .args(["run", "--sockets=1", "--", "web", "1", "true"])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_PID", "1")
        .env("RUNTIME_DIRECTORY", lab.path())
        .output();
    assert_eq!(run.expect("the shim starts").status.code(), Some(78));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let lab = Lab::new("");
    fs::write(lab.path().join("plain"), "echo no first line").expect("a file");
    let plain = lab.path().join("plain");
    let mut shim = lab.start(&["no-such-program"]);
    assert_eq!(shim.exit_code(), Some(127));
    shim.logged("program no-such-program not found in PATH");
    let mut shim = Lab::new("").start(&["/no/such/program"]);
    assert_eq!(shim.exit_code(), Some(127));
    shim.logged("program /no/such/program not found");
    let mut shim = Lab::new("").start(&[plain.to_str().expect("text")]);
    assert_eq!(shim.exit_code(), Some(126));
    shim.logged("is not executable for the app's user");
}

#[test]
fn no_shell_runs_a_file_that_has_no_first_line() {
    let lab = Lab::new("");
    let plain = lab.path().join("plain");
    fs::write(&plain, "echo a shell ran this").expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&plain, mode).expect("permissions");
    let mut shim = lab.start(&[plain.to_str().expect("text")]);
    assert_eq!(shim.exit_code(), Some(126));
    shim.logged("is neither a binary nor a script with a #! line");
    assert_eq!(shim.stdout(), "");
}

#[test]
fn a_directory_that_is_not_there_is_named_and_counts_as_a_crash() {
    let mut shim = Lab::new("--directory=/no/such/place").start(&["true"]);
    assert_eq!(shim.exit_code(), Some(78));
    let status = shim.notified("STATUS=failed");
    assert!(
        status.ends_with("crashes 1; directory /no/such/place does not exist"),
        "{status}"
    );
}

#[test]
fn a_line_that_makes_no_sense_is_refused() {
    for line in [
        &["run"][..],
        &["run", "--colour=1", "--", "web", "1", "true"],
        &["walk"],
        &[],
        &["exec", "--x"],
    ] {
        let output = Command::new(shim_path()).args(line).output().expect("the shim starts");
        assert_eq!(output.status.code(), Some(64), "{line:?}");
        assert!(!output.stderr.is_empty());
    }
}
