//! An app writes to the journal what is far larger than a line. Who reads it needs no more memory than for any other.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Debian, Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(
    logs_of_large_entries_take_little_memory,
    a_failure_after_large_entries_takes_little_memory,
    a_build_that_prints_much_takes_little_memory,
    a_repository_that_says_much_takes_little_memory,
);

/// One entry of text, one of bytes, and as much as one line of a stream that does not end.
const FLOOD: &str = r#"import fcntl, os, socket, sys, time

def entry(message):
    memory = os.memfd_create("entry", os.MFD_ALLOW_SEALING)
    file = os.fdopen(memory, "wb", closefd=False)
    file.write(b"PRIORITY=6\nMESSAGE\n" + len(message).to_bytes(8, "little") + message + b"\n")
    file.flush()
    fcntl.fcntl(memory, 1033, 15)
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.connect("/run/systemd/journal/socket")
    socket.send_fds(journal, [b""], [memory])

SIZE = int(open(os.path.dirname(os.path.abspath(__file__)) + "/size").read())
entry(b"text" * (SIZE // 4))
entry(b"\1\xff\0\n" * (SIZE // 4))
sys.stdout.write("before\n" + "x" * (SIZE // 10))
sys.stdout.flush()
print("\nafter", flush=True)
if len(sys.argv) > 1: sys.exit(int(sys.argv[1]))
time.sleep(1e6)
"#;

/// Runs a command and looks, as long as it lives, how much memory it has had at most.
const PEAK: &str = r#"import json, subprocess, sys

with open("/run/said", "wb") as said:
    child = subprocess.Popen(sys.argv[1:], stdout=said, stderr=said, stdin=subprocess.DEVNULL)
peak = 0
while child.poll() is None:
    try:
        lines = open(f"/proc/{child.pid}/status").readlines()
    except OSError:
        continue
    peak = max([peak] + [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")])
    try:
        child.wait(0.002)
    except subprocess.TimeoutExpired:
        pass
said = open("/run/said", "rb").read()
print(json.dumps({"peak": peak, "status": child.returncode, "size": len(said), "tail": said[-100_000:].decode()}))
"#;

/// Ten times what it needs for a line.
const MOST_KIB: u64 = 64 << 10;

/// What journald takes in one entry: 257 takes no more than 32 MiB of anyone but root.
fn size(stage: &Stage) -> u64 {
    match stage.host().debian() {
        Debian::Twelve => 100_000_000,
        Debian::Thirteen => 30_000_000,
    }
}

fn prepare(stage: &Stage, app: &str, exec: &str) -> Result<()> {
    stage.host().run_ok(&["useradd", "work"])?;
    stage.host().write_file("/srv/flood/flood.py", FLOOD)?;
    stage.host().write_file("/srv/flood/size", &size(stage).to_string())?;
    stage.host().write_file("/usr/local/lib/peak.py", PEAK)?;
    let text = format!("exec = \"{exec}\"\nuser = \"work\"\n[ready]\nsettle = \"0s\"\n");
    stage.host().write_file(&format!("/etc/appctl/apps/{app}.toml"), &text)
}

/// Runs `appctl`: its exit code, how much it said, and the end of that.
fn in_little_memory(stage: &Stage, words: &[&str]) -> Result<(i64, u64, String)> {
    let argv = [&["python3", "/usr/local/lib/peak.py", "appctl"], words].concat();
    let text = stage.host().run_ok(&argv)?;
    let seen: Value = serde_json::from_str(&text)?;
    let number = |name: &str| seen[name].as_u64().with_context(|| format!("no {name} in {seen}"));
    let (peak, tail) = (number("peak")?, seen["tail"].as_str().unwrap_or_default().to_owned());
    println!("{words:?}: {peak} KiB");
    ensure!(peak > 1_000 && peak < MOST_KIB, "{words:?}: {peak} KiB\n{tail}");
    Ok((seen["status"].as_i64().unwrap_or(-1), number("size")?, tail))
}

fn all_read(stage: &Stage) -> Result<()> {
    appctl_lab::patience::until("the app's last word", std::time::Duration::from_secs(60), || {
        let said = stage
            .host()
            .run_ok(&["journalctl", "-u", "flood@1", "-n", "5", "-o", "cat"])?;
        Ok(said.lines().any(|line| line == "after").then_some(()))
    })?;
    // What comes by another socket may be written later.
    stage.host().run_ok(&["journalctl", "--sync"]).map(drop)
}

fn logs_of_large_entries_take_little_memory(stage: &Stage) -> Result<()> {
    prepare(stage, "flood", "python3 /srv/flood/flood.py")?;
    let file = "/etc/appctl/apps/flood.toml";
    let text = stage.host().read_file(file)?;
    stage
        .host()
        .write_file(file, &format!("directory = \"/srv/flood\"\n{text}"))?;
    stage.appctl_ok(&["apply", "flood"])?;
    all_read(stage)?;
    let (stream, told) = (size(stage) / 10, size(stage).to_string());
    for words in [
        &["logs", "flood", "-n", "1000"][..],
        &["--json", "logs", "flood", "-n", "1000"],
    ] {
        let (status, size, tail) = in_little_memory(stage, words)?;
        ensure!(status == 0 && tail.contains("after"), "{status}: {tail}");
        ensure!(size > stream && size < stream * 3 / 2, "{size} bytes");
        let said = stage.host().run_ok(&["cat", "/run/said"])?;
        ensure!(said.matches(&told).count() == 2, "the sizes are not told");
    }
    Ok(())
}

fn a_failure_after_large_entries_takes_little_memory(stage: &Stage) -> Result<()> {
    prepare(stage, "flood", "python3 /srv/flood/flood.py 3")?;
    let (file, host) = ("/etc/appctl/apps/flood.toml", stage.host());
    let text = host.read_file(file)?;
    host.write_file(file, &format!("directory = \"/srv/flood\"\n{text}when = \"notify\"\n"))?;
    let (status, size, tail) = in_little_memory(stage, &["apply", "flood"])?;
    ensure!(status == 4 && tail.contains("| after"), "{status}: {tail}");
    ensure!(size < 100_000, "{size} bytes");
    Ok(())
}

fn a_build_that_prints_much_takes_little_memory(stage: &Stage) -> Result<()> {
    prepare(stage, "flood", "sleep infinity")?;
    let (file, host) = ("/etc/appctl/apps/flood.toml", stage.host());
    let text = host.read_file(file)?;
    let build = "[deploy]\nbuild = [[\"python3\", \"flood.py\", \"3\"]]\n";
    host.write_file(file, &format!("{text}{build}"))?;
    let (status, _, tail) = in_little_memory(stage, &["stage", "flood", "/srv/flood"])?;
    ensure!(
        status == 4 && tail.contains("| after") && tail.contains("bytes in all"),
        "{status}: {tail}"
    );
    Ok(())
}

/// A line of git's without an end, by its owner's configuration.
fn a_repository_that_says_much_takes_little_memory(stage: &Stage) -> Result<()> {
    prepare(stage, "web", "sleep infinity")?;
    let host = stage.host();
    let talk = "#!/bin/sh\nhead -c 100000000 /dev/zero | tr '\\0' x >&2\necho >&2\nexec \"$@\"\n";
    host.write_file("/usr/local/bin/talk", talk)?;
    host.run_ok(&["chmod", "755", "/usr/local/bin/talk"])?;
    let script =
        "useradd --create-home ann; cd /home/ann; mkdir app; cd app; git init -qb main; echo 1 >server.js; git add -A
        git -c user.name=a -c user.email=a@b commit -qm one
        HOME=/home/ann git config --global uploadpack.packObjectsHook talk; chown -R ann: /home/ann";
    host.run_ok(&["sh", "-ec", script])?;
    let words = ["stage", "web", "--git", "/home/ann/app", "--ref", "main"];
    let (status, size, tail) = in_little_memory(stage, &words)?;
    ensure!(status == 0 && tail.contains("xxx"), "{status}: {tail}");
    ensure!(size < 100_000, "{size} bytes");
    Ok(())
}
