//! What a test does with a system of the lab, whichever kind it is: run commands as root, move files in and out,
//! read the journal, install the package. Everything goes through one primitive, `Host::command`.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::Debian;

/// The environment every command gets, on every kind of host.
pub(crate) const ENVIRONMENT: [(&str, &str); 4] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("LANG", "C.UTF-8"),
    ("DEBIAN_FRONTEND", "noninteractive"),
];

/// A command that hangs is killed, so that a test fails with that command's name instead of never ending.
const LIMIT: [&str; 3] = ["timeout", "--kill-after=5", "300"];
const TIMED_OUT: i32 = 124;

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; 128 + the signal's number when a signal ended it.
    pub status: i32,
    /// Standard output, with anything that is not UTF-8 replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl Output {
    /// Whether the exit code is 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

/// One running system with systemd as PID 1.
pub trait Host {
    /// Which Debian it is.
    fn debian(&self) -> Debian;

    /// A command that runs `argv` as root in it, in `/root`, with a clean environment; nothing has been started yet.
    fn command(&self, argv: &[&str]) -> Command;

    /// An interactive shell on this process's terminal; nothing has been started yet.
    fn shell(&self) -> Command;

    /// Where the thread that booted it reaches the TCP port `guest` on 127.0.0.1. A box shares that thread's loopback, so
    /// it is the same number. A `Machine` forwards 3000 to 3009, and only to listeners that are not confined to its own
    /// loopback; its forwarder accepts first and asks the machine later, so a refusal shows as a connection that ends.
    fn port(&self, guest: u16) -> Result<u16>;

    /// Runs `argv` to its end. Only what keeps it from running is an error, not its exit code; five minutes are the limit.
    fn run(&self, argv: &[&str]) -> Result<Output> {
        let output = self.command(&[&LIMIT, argv].concat()).stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot run {argv:?}"))?;
        finish(argv, &output)
    }

    /// Runs `argv`, which must exit with 0, and gives its standard output.
    fn run_ok(&self, argv: &[&str]) -> Result<String> {
        expect_success(argv, self.run(argv)?)
    }

    /// Runs `argv` with `input` as its standard input; it must exit with 0.
    fn run_with_input(&self, argv: &[&str], input: &[u8]) -> Result<String> {
        let mut command = self.command(&[&LIMIT, argv].concat());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let written = child.stdin.take().context("standard input is a pipe")?.write_all(input);
        let output = expect_success(argv, finish(argv, &child.wait_with_output()?)?)?;
        written.with_context(|| format!("{argv:?} did not read its input"))?;
        Ok(output)
    }

    /// Starts `argv` and leaves it running, its output in pipes. Killing the child ends only this side of it; what runs
    /// in the host ends with the host, or by a `kill` run there.
    fn spawn(&self, argv: &[&str]) -> Result<Child> {
        let mut command = self.command(argv);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        child.with_context(|| format!("cannot start {argv:?}"))
    }

    /// Writes a file (mode 0644) and the directories above it.
    fn write_file(&self, path: &str, text: &str) -> Result<()> {
        self.run_with_input(&["install", "-D", "-m", "0644", "/dev/stdin", path], text.as_bytes())
            .map(drop)
    }

    /// A file's text.
    fn read_file(&self, path: &str) -> Result<String> {
        self.run_ok(&["cat", "--", path])
    }

    /// Copies a file or a whole directory to `path`, owned by root, modes kept.
    fn copy_in(&self, local: &Path, path: &str) -> Result<()> {
        if !local.is_dir() {
            return self.copy_file_in(local, path);
        }
        self.run_ok(&["mkdir", "--parents", path])?;
        let mut pack = Command::new("tar");
        pack.arg("--directory")
            .arg(local)
            .args(["--owner=0", "--group=0", "--create", "."]);
        let mut pack = pack.stdout(Stdio::piped()).spawn().context("cannot start tar")?;
        let archive = pack.stdout.take().context("tar's output is a pipe")?;
        let argv = ["tar", "--directory", path, "--extract"];
        let output = self.command(&argv).stdin(archive).output()?;
        ensure!(pack.wait()?.success(), "cannot read {}", local.display());
        expect_success(&argv, finish(&argv, &output)?).map(drop)
    }

    /// Copies one file to `path`, owned by root, mode kept.
    fn copy_file_in(&self, local: &Path, path: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let file = File::open(local).with_context(|| format!("cannot read {}", local.display()))?;
        let mode = format!("{:04o}", file.metadata()?.permissions().mode() & 0o7777);
        let argv = ["install", "-D", "-m", &mode, "/dev/stdin", path];
        expect_success(&argv, finish(&argv, &self.command(&argv).stdin(file).output()?)?).map(drop)
    }

    /// What the journal holds of a unit (a pattern is fine), in journalctl's short form.
    fn journal(&self, unit: &str) -> Result<String> {
        // On a busy machine it writes later than others act on what they told it.
        self.run_ok(&["journalctl", "--sync"])?;
        self.run_ok(&["journalctl", "--no-pager", "--output=short-precise", "--unit", unit])
    }

    /// Installs a Debian package the way its user does, and gives what apt printed.
    fn install_deb(&self, package: &Path) -> Result<String> {
        install(self, package, &["apt-get", "install", "--yes"])
    }

    /// The same where what it depends on is there already, in half the time: for scenarios that are about something else.
    fn install_deb_alone(&self, package: &Path) -> Result<String> {
        install(self, package, &["dpkg", "--install"])
    }
}

fn install<H: Host + ?Sized>(host: &H, package: &Path, program: &[&str]) -> Result<String> {
    let file = "/tmp/lab-install.deb";
    host.copy_in(package, file)?;
    let text = host.run_ok(&[program, &[file]].concat())?;
    host.run_ok(&["rm", file])?;
    Ok(text)
}

fn finish(argv: &[&str], output: &std::process::Output) -> Result<Output> {
    use std::os::unix::process::ExitStatusExt;
    let signal = || output.status.signal().map_or(-1, |signal| 128 + signal);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().unwrap_or_else(signal);
    let output = Output {
        status,
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    if status == TIMED_OUT && argv.first() != Some(&"timeout") {
        bail!(
            "{argv:?} took too long and was killed\n{}{}",
            output.stdout,
            output.stderr
        );
    }
    Ok(output)
}

fn expect_success(argv: &[&str], output: Output) -> Result<String> {
    ensure!(
        output.success(),
        "{argv:?} exited with {}\n{}{}",
        output.status,
        output.stdout,
        output.stderr
    );
    Ok(output.stdout)
}
