//! git(1) as a child: never as root for someone else, with no hooks, no prompts, few protocols and a time limit.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use appctl::host::session;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid, User};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::super::super::Progress;
use super::lines::Lines;
use super::remote::Remote;
use crate::exit::{Exit, ExpectedError};
use crate::step_down::Account;

/// A large repository over a slow line, the first time.
const LIMIT: Duration = Duration::from_mins(30);
/// Lines of git's that an error repeats.
const LAST_LINES: usize = 3;
/// Largest answer.
const ANSWER: u64 = 1 << 16;
/// Of the operator's environment.
const PASSED: [&str; 14] = [
    "PATH",
    "LANG",
    "SSH_AUTH_SOCK",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];
/// Nothing waits for a person, or for ever.
const SSH: &str = "ssh -oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=15 -oServerAliveCountMax=4";
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "advice.detachedHead=false",
    "gc.autoDetach=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
];
/// Of what a commit names, as its submodules. The environment wins over any configuration, git(1).
const PROTOCOLS: &str = "https:ssh";

/// One repository's git.
pub(super) struct Git {
    account: Account,
    directory: PathBuf,
    protocols: String,
    secret: Option<(String, String)>,
}

impl Git {
    pub(super) fn new(account: Account, directory: &Path, remote: &Remote) -> Self {
        let secret = (remote.url() != remote.shown()).then(|| (remote.url().to_owned(), remote.shown().to_owned()));
        Self {
            account,
            directory: directory.to_owned(),
            // What the operator named is meant, for its submodules too.
            protocols: format!("{PROTOCOLS}:{}", remote.scheme()),
            secret,
        }
    }

    /// Runs git to its end and gives its answer; what it says meanwhile is told. Killed with all it started when dropped.
    pub(super) async fn run(&mut self, arguments: &[&str], tell: &mut dyn FnMut(Progress)) -> anyhow::Result<String> {
        let mut group = Group(self.command(arguments).spawn()?);
        let limited = tokio::time::timeout(LIMIT, self.listen(&mut group.0, tell)).await;
        let (success, answer, said) = match limited {
            Ok(heard) => heard?,
            Err(_) => (
                false,
                String::new(),
                vec![format!("it took longer than {} min", LIMIT.as_secs() / 60)],
            ),
        };
        if success {
            return Ok(answer);
        }
        let verb = arguments.first().copied().unwrap_or_default();
        let message = format!("git {verb} failed: {}", said.join("; "));
        let help = "nothing was changed; git cannot ask for a password here: use an ssh agent, or a key of the account";
        Err(ExpectedError::new(Exit::FAILED, message).help(help).into())
    }

    /// The first of these names that is a commit.
    pub(super) async fn first_commit(&mut self, names: &[String]) -> anyhow::Result<Option<String>> {
        for name in names {
            let commit = format!("{name}^{{commit}}");
            let question = ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit];
            if let Ok(answer) = self.run(&question, &mut drop).await {
                return Ok(Some(answer.trim_end().to_owned()));
            }
        }
        Ok(None)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command
            .arg("as-user")
            .args(self.account.arguments())
            .args(["--", "git"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments).current_dir(&self.directory).env_clear();
        let passed = PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command
            .env("GIT_SSH_COMMAND", SSH)
            .envs(passed)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", &self.protocols);
        command.env("LC_ALL", "C.UTF-8").env("HOME", self.home());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        session::isolate(command.as_std_mut());
        command.kill_on_drop(true);
        command
    }

    fn home(&self) -> PathBuf {
        let uid = self.account.uid.map_or_else(nix::unistd::geteuid, Uid::from_raw);
        let user = User::from_uid(uid).ok().flatten();
        user.map_or_else(|| self.directory.clone(), |user| user.dir)
    }

    async fn listen(
        &self,
        child: &mut Child,
        tell: &mut dyn FnMut(Progress),
    ) -> anyhow::Result<(bool, String, Vec<String>)> {
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            anyhow::bail!("no pipes to git");
        };
        let mut lines = Lines::new(stderr, self.secret.clone());
        let mut answer = String::new();
        let mut last = VecDeque::new();
        let hear = async {
            while let Some(line) = lines.next().await? {
                let line = appctl::observe::journal::without_colours(&line);
                last.truncate(LAST_LINES - 1);
                last.push_front(line.clone());
                tell(Progress::Said(line));
            }
            std::io::Result::Ok(())
        };
        let mut stdout = stdout.take(ANSWER);
        tokio::try_join!(hear, stdout.read_to_string(&mut answer))?;
        let status = child.wait().await?;
        Ok((status.success(), answer, last.into_iter().rev().collect()))
    }
}

/// git and everything it started.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Known as long as nobody has waited for it: then it, and so its group, is still there.
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok()) {
            _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
