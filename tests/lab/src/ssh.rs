//! Commands in a machine, over ssh to a forwarded loopback port. One connection is kept open for all of them: a new
//! one costs a second under emulation. See ssh(1), connection sharing (option `-S`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::host::ENVIRONMENT;
use crate::keeper::Keeper;

const OPTIONS: [&str; 9] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "IdentitiesOnly=yes",
    "ControlMaster=no",
    "ConnectTimeout=15",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=12",
];
const TARGET: &str = "root@127.0.0.1";
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Ssh {
    words: Vec<OsString>,
    control: PathBuf,
    log: PathBuf,
    kept: Option<Keeper>,
}

impl Ssh {
    /// Nothing is connected yet.
    pub(crate) fn new(port: u16, key: &Path, control: PathBuf, log: PathBuf) -> Self {
        let mut words: Vec<OsString> = ["ssh", "-F", "none"].map(OsString::from).into();
        words.extend(OPTIONS.iter().flat_map(|option| ["-o".into(), OsString::from(option)]));
        words.extend(["-i".into(), key.into(), "-p".into(), port.to_string().into()]);
        words.extend(["-S".into(), control.clone().into()]);
        Self {
            words,
            control,
            log,
            kept: None,
        }
    }

    /// Opens the connection that later commands share. Under emulation sshd may be too slow to greet in time: once more.
    pub(crate) fn keep_open(&mut self) -> Result<()> {
        self.close();
        let deadline = Instant::now() + PATIENCE;
        while self.kept.is_none() {
            if Instant::now() > deadline {
                bail!("no connection to the machine: {}", crate::image::tail(&self.log, 5));
            }
            self.kept = self.connect(deadline)?;
        }
        Ok(())
    }

    /// One attempt; `None` when it came to nothing.
    fn connect(&self, deadline: Instant) -> Result<Option<Keeper>> {
        let mut argv = self.words.clone();
        argv.extend(["-M", "-N", TARGET].map(OsString::from));
        let keeper = Keeper::start(|| Ok(()), &[], &argv, &self.log)?;
        while !self.control.exists() {
            if keeper.has_ended() || Instant::now() > deadline {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(keeper))
    }

    /// Closes it, before the machine goes away.
    pub(crate) fn close(&mut self) {
        self.kept = None;
        let _ = std::fs::remove_file(&self.control);
    }

    pub(crate) fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).arg(TARGET).arg(remote(argv));
        command
    }

    pub(crate) fn shell(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(["-t", TARGET]);
        command
    }
}

/// sshd hands the text to a shell there: every word is quoted.
fn remote(argv: &[&str]) -> String {
    let settings = ENVIRONMENT.iter().map(|(key, value)| quote(&format!("{key}={value}")));
    let words: Vec<String> = settings.chain(argv.iter().map(|word| quote(word))).collect();
    format!("exec env -i {}", words.join(" "))
}

fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn the_remote_command_starts_from_a_clean_environment() {
        let text = remote(&["echo", "a b"]);
        assert!(text.starts_with("exec env -i 'PATH="), "{text}");
        assert!(text.ends_with(" 'echo' 'a b'"), "{text}");
    }
}
