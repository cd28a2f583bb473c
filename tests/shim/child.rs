//! What the app is given, and what its end becomes.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::harness::{Lab, eventually, shim_path};

fn environment(pid: i32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).expect("a live process");
    let pairs = bytes.split(|byte| *byte == 0).filter(|pair| !pair.is_empty());
    pairs.map(|pair| String::from_utf8_lossy(pair).into_owned()).collect()
}

fn field(pid: i32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a live process");
    let line = status
        .lines()
        .find(|line| line.starts_with(name))
        .expect("a field of proc(5)");
    line[name.len()..].trim().to_owned()
}

#[test]
fn starts_with_no_signal_blocked_or_ignored() {
    let mut shim = Lab::new("").start(&["sleep", "1000"]);
    let app = shim.at_rest();
    assert_eq!(field(app, "SigBlk:"), "0000000000000000");
    // 32 and 33 belong to glibc, which lets nobody change them.
    let ignored = u64::from_str_radix(&field(app, "SigIgn:"), 16).expect("hexadecimal");
    assert_eq!(ignored & !(0b11 << 31), 0);
    shim.stop();
}

#[test]
fn finds_its_sockets_under_its_own_pid() {
    let (lab, port) = Lab::new("--sockets=2").tcp();
    let unix = lab.path().join("x.sock");
    let listener = UnixListener::bind(&unix).expect("a unix socket");
    let lab = lab
        .option("--sockets=2".to_owned())
        .option("--adapter=/dev/null".to_owned());
    let lab = lab
        .pass(listener, "x.socket")
        .env("LISTEN_PIDFDID", "1")
        .env("WATCHDOG_USEC", "1")
        .env("MAINPID", "1");
    let mut shim = lab.instance("3").start(&["sleep", "1000"]);
    let app = shim.at_rest();
    let all = environment(app);
    let has = |pair: &str| assert!(all.iter().any(|one| one == pair), "{pair} in {all:?}");
    has(&format!("LISTEN_PID={app}"));
    has("LISTEN_FDS=2");
    has("LISTEN_FDNAMES=web.socket:x.socket");
    has(&format!("PORT={port}"));
    has("INSTANCE=3");
    has("NODE_APP_INSTANCE=2");
    has("NODE_OPTIONS=--require /dev/null");
    let inode = |fd: u8| {
        let link = fs::read_link(format!("/proc/{app}/fd/{fd}")).expect("an open fd");
        link.to_string_lossy()
            .trim_matches(|c: char| !c.is_ascii_digit())
            .to_owned()
    };
    has(&format!(
        "APPCTL_LISTEN=3:{}=127.0.0.1:{port} 4:{}={}",
        inode(3),
        inode(4),
        unix.display()
    ));
    for gone in ["LISTEN_PIDFDID=", "WATCHDOG_USEC=", "MAINPID=", "NOTIFY_SOCKET="] {
        assert!(!all.iter().any(|pair| pair.starts_with(gone)), "{gone} in {all:?}");
    }
    shim.stop();
}

#[test]
fn inherits_nothing_but_stdio_and_its_sockets() {
    let (lab, _) = Lab::new("--ready=listening --backoff-ms=1,1,1").with_adapter();
    let mut shim = lab.start(&["sleep", "1000"]);
    let app = shim.at_rest();
    let mut adapter = shim.adapter();
    adapter.say("listening x");
    shim.notified("READY=1");
    let entries = fs::read_dir(format!("/proc/{app}/fd")).expect("a live process");
    let mut open: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2", "3"]);
    drop(adapter);
    shim.stop();
}

#[test]
fn its_exit_status_and_its_signal_are_the_shims() {
    for code in [0, 1, 42, 255] {
        let mut shim = Lab::new("").start(&["sh", "-c", &format!("exit {code}")]);
        assert_eq!(shim.exit_code(), Some(code));
    }
    for signal in [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGSEGV,
        Signal::SIGABRT,
        Signal::SIGPIPE,
    ] {
        let mut shim = Lab::new("").start(&["sh", "-c", &format!("kill -{} $$", signal as i32)]);
        let ended = shim.ended();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&ended),
            Some(signal as i32),
            "{signal}"
        );
        assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&ended));
        assert!(
            shim.stderr()
                .contains(&format!("was killed by {signal} before it was ready")),
            "{}",
            shim.stderr()
        );
    }
}

#[test]
fn runs_in_the_real_directory_behind_current() {
    let lab = Lab::new("");
    let releases = lab.path().join("var/lib/appctl/web/releases");
    fs::create_dir_all(releases.join("20261122T101500Z")).expect("a release");
    let current = lab.path().join("var/lib/appctl/web/current");
    symlink("releases/20261122T101500Z", &current).expect("a link");
    let real = fs::canonicalize(&current).expect("a path");
    let root = lab.path().to_str().expect("text").to_owned();
    let lab = lab
        .env("APPCTL_ROOT", &root)
        .option(format!("--directory={}", current.display()));
    let mut shim = lab.start(&["sleep", "1000"]);
    let app = shim.at_rest();
    assert_eq!(fs::read_link(format!("/proc/{app}/cwd")).expect("a live process"), real);
    assert!(environment(app).contains(&format!("PWD={}", real.display())));
    shim.notified(&format!(
        "STATUS=starting; pid {app}; release 20261122T101500Z; crashes 0"
    ));
    shim.stop();
}

#[test]
fn orphans_of_the_app_are_reaped() {
    let mut shim = Lab::new("").start(&[
        "sh",
        "-c",
        "(sh -c 'exit 3' & echo $! ; exit) ; echo done; exec sleep 1000",
    ]);
    shim.printed("done");
    let orphan = shim.stdout().lines().next().expect("a pid").to_owned();
    eventually("the orphan is gone", || {
        (!Path::new("/proc").join(&orphan).exists()).then_some(())
    });
    shim.stop();
}

#[test]
fn signals_for_the_app_are_passed_on() {
    let script = "trap 'echo hup' HUP; trap 'echo usr2' USR2; trap 'echo winch' WINCH; echo armed; \
        while :; do sleep 0.02; done";
    let mut shim = Lab::new("").start(&["sh", "-c", script]);
    shim.printed("armed");
    for (signal, word) in [
        (Signal::SIGHUP, "hup"),
        (Signal::SIGUSR2, "usr2"),
        (Signal::SIGWINCH, "winch"),
    ] {
        shim.signal(signal);
        shim.printed(word);
    }
    shim.stop();
}

#[test]
fn stderr_can_be_a_journal_stream_of_its_own() {
    let lab = Lab::new("");
    let socket = lab.path().join("journal");
    let journal = UnixListener::bind(&socket).expect("a socket");
    let mut child = Command::new(shim_path())
        .arg("exec")
        .arg(format!("--journal={}", socket.display()))
        .args([
            "--identifier=web",
            "--",
            "sh",
            "-c",
            "echo words >&2; echo $JOURNAL_STREAM >&2; stat -Lc %d:%i /dev/fd/2 >&2",
        ])
        .spawn()
        .expect("the shim starts");
    let (stream, _) = journal.accept().expect("a connection");
    let text = std::io::read_to_string(stream).expect("text");
    assert!(child.wait().expect("our child").success());
    let said = text
        .strip_prefix("web\n\n4\n1\n0\n0\n0\nwords\n")
        .expect("the header and the words");
    let (named, real) = said.trim().split_once('\n').expect("two names");
    assert_eq!(named, real);
}

#[test]
fn without_a_journal_stderr_stays_as_it_is() {
    let mut command = Command::new(shim_path());
    command.args([
        "exec",
        "--journal=/no/such/socket",
        "--identifier=web",
        "--",
        "sh",
        "-c",
        "echo words >&2",
    ]);
    let output = command.output().expect("the shim starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "words\n");
}
