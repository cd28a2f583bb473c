//! What the app is given, and what its end becomes.

use std::fs;
use std::io::{BufRead, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::stat::fstat;

use crate::harness::{Lab, PATIENCE, eventually};

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

/// A shim whose stderr is the journal, as far as `JOURNAL_STREAM` says.
fn logging_to(journal: &Path, lab: Lab) -> Lab {
    use std::os::unix::fs::MetadataExt;
    let stderr = fs::File::create(lab.path().join("err")).expect("a file");
    let meta = stderr.metadata().expect("an open file");
    let name = format!("{}:{}", meta.dev(), meta.ino());
    lab.option(format!("--journal={}", journal.display()))
        .env("JOURNAL_STREAM", &name)
}

/// Waits for the shim's connection, and reads lines from it for a bounded time.
fn connection(journal: &UnixListener) -> std::io::BufReader<UnixStream> {
    journal.set_nonblocking(true).expect("a listener");
    let stream = eventually("the shim connects to the journal", || journal.accept().ok()).0;
    stream.set_nonblocking(false).expect("a stream");
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .expect("a stream");
    std::io::BufReader::new(stream)
}

#[test]
fn stderr_is_a_journal_stream_of_its_own() {
    let lab = Lab::new("");
    let socket = lab.path().join("journal");
    let journal = UnixListener::bind(&socket).expect("a socket");
    let script = "echo words >&2; echo $JOURNAL_STREAM >&2; stat -Lc %d:%i /dev/fd/2 >&2; exec sleep 1000";
    let mut shim = logging_to(&socket, lab).start(&["sh", "-c", script]);
    let (stream, _) = journal.accept().expect("a connection");
    let lines: Vec<_> = std::io::BufReader::new(stream)
        .lines()
        .take(10)
        .map(|line| line.expect("text"))
        .collect();
    assert_eq!(lines[..8], ["web", "", "4", "1", "0", "0", "0", "words"]);
    assert_eq!(lines[8], lines[9], "JOURNAL_STREAM names it");
    shim.stop();
}

#[test]
fn a_dead_app_is_kept_until_the_journal_has_read_its_last_words() {
    let lab = Lab::new("");
    let socket = lab.path().join("journal");
    let journal = UnixListener::bind(&socket).expect("a socket");
    let shim = logging_to(&socket, lab).start(&["sh", "-c", "echo $$; echo bye >&2; exit 3"]);
    let stream = connection(&journal);
    let app = eventually("the app says its pid", || shim.stdout().trim().parse::<i32>().ok());
    let state = || fs::read_to_string(format!("/proc/{app}/stat")).map(|stat| stat.contains(") Z "));
    eventually("the app is dead", || {
        state().expect("not reaped while its words are unread").then_some(())
    });
    let words = stream.lines().map(|line| line.expect("text")).nth(7);
    assert_eq!(words.as_deref(), Some("bye"));
    eventually("the app is reaped", || state().is_err().then_some(()));
}

/// Waits for a line without taking it: until then nobody has read it.
fn unread(stream: &UnixStream, line: &str) {
    let mut text = [0; 4_096];
    eventually(line, || {
        let there = recv(stream.as_raw_fd(), &mut text, MsgFlags::MSG_PEEK).ok()?;
        String::from_utf8_lossy(&text[..there]).contains(line).then_some(())
    });
}

fn is_zombie(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.expect("not reaped while its words are unread").contains(") Z ")
}

/// With nothing but the stream that systemd gave it.
#[test]
fn neither_app_nor_shim_is_gone_before_the_journal_has_read_its_last_words() {
    let (mut journal, output) = UnixStream::pair().expect("two sockets");
    let meta = fstat(&output).expect("a socket");
    let mut shim = Lab::new("--journal=/no/such/socket")
        .env("JOURNAL_STREAM", &format!("{}:{}", meta.st_dev, meta.st_ino))
        .output(output.into())
        .start(&["sh", "-c", "echo $$ bye; exit 3"]);
    unread(&journal, " bye\n");
    let mut text = [0; 4_096];
    let there = recv(journal.as_raw_fd(), &mut text, MsgFlags::MSG_PEEK).expect("words");
    let text = String::from_utf8_lossy(&text[..there]).into_owned();
    let app = text.split(' ').next().expect("a pid");
    eventually("the app is dead", || is_zombie(app).then_some(()));
    journal.read_exact(&mut vec![0; there]).expect("words");
    unread(&journal, "exited with status 3");
    assert!(!Path::new("/proc").join(app).exists(), "the app is reaped");
    std::thread::sleep(Duration::from_millis(50));
    assert!(!is_zombie(&shim.pid().to_string()), "the shim waits, too");
    journal.set_nonblocking(true).expect("a socket");
    let _ = std::io::copy(&mut journal, &mut std::io::sink());
    assert_eq!(shim.exit_code(), Some(3));
}

/// The fields of the next entry that is sent to journald; none of these texts has several lines.
fn entry(journald: &UnixDatagram) -> std::collections::BTreeMap<String, String> {
    let mut entry = [0; 4_096];
    let length = journald.recv(&mut entry).expect("an entry in time");
    let text = String::from_utf8_lossy(&entry[..length]).into_owned();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn what_the_shim_notes_goes_to_journald_as_fields_before_the_shim_is_gone() {
    let lab = Lab::new("--ready=notify");
    let journald = UnixDatagram::bind(lab.path().join("socket")).expect("a socket");
    journald.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let streams = lab.path().join("stdout");
    let mut shim = lab
        .option(format!("--journal={}", streams.display()))
        .start(&["sh", "-c", "exit 3"]);
    let crash = entry(&journald);
    for (name, value) in [
        ("APPCTL_NOTE", "crashed"),
        ("APPCTL_CRASHES", "1"),
        ("PRIORITY", "3"),
        ("SYSLOG_IDENTIFIER", "web"),
    ] {
        assert_eq!(crash.get(name).map(String::as_str), Some(value), "{crash:?}");
    }
    assert!(crash["MESSAGE"].starts_with("appctl: exited with status "), "{crash:?}");
    // It has read the entry, and not yet asked for more: now it looks up whose it is.
    std::thread::sleep(Duration::from_millis(50));
    assert!(shim.is_alive());
    assert!(entry(&journald).is_empty());
    shim.ended();
}

#[test]
fn an_app_can_neither_read_its_shim_nor_is_it_closed_itself() {
    let mut shim = Lab::new("").start(&["sleep", "1000"]);
    let app = shim.at_rest();
    let owner =
        |pid: i32| fs::metadata(format!("/proc/{pid}/environ")).map(|meta| std::os::unix::fs::MetadataExt::uid(&meta));
    // proc(5): what may not be traced belongs to root.
    assert_eq!(owner(shim.pid().as_raw()).expect("a live shim"), 0);
    assert_eq!(owner(app).expect("a live app"), nix::unistd::Uid::effective().as_raw());
    shim.stop();
}

#[test]
fn without_a_journal_stderr_stays_as_it_is() {
    let lab = Lab::new("");
    let mut shim =
        logging_to(Path::new("/no/such/socket"), lab).start(&["sh", "-c", "echo words >&2; exec sleep 1000"]);
    eventually("the words", || shim.stderr().contains("words").then_some(()));
    shim.stop();
}
