//! Keeps one long-running child: it is killed when the keeper is dropped, and by the kernel when this process dies.
//! The kernel's signal follows the *thread* that started the child, so each child has a thread that stays.
//! See prctl(2), "set the parent-death signal", and setpriv(1).

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

pub(crate) struct Keeper {
    pid: u32,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Runs `prepare` and then `argv` (whatever `prefix` says before it) in a thread of their own; output goes to `log`.
    pub(crate) fn start<F>(prepare: F, prefix: &[OsString], argv: &[OsString], log: &Path) -> Result<Self>
    where
        F: FnOnce() -> Result<()> + Send + 'static,
    {
        let mut command = command(prefix, argv, log)?;
        let (started, start) = channel();
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || match prepare().and_then(|()| Ok(command.spawn()?)) {
            Ok(child) => {
                let _ = started.send(Ok(child.id()));
                keep(child, &stopped);
            }
            Err(error) => drop(started.send(Err(error))),
        });
        let pid = start.recv().context("the keeper's thread ended")??;
        Ok(Self {
            pid,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn command(prefix: &[OsString], argv: &[OsString], log: &Path) -> Result<Command> {
    let output = File::create(log)?;
    let death = ["setpriv", "--pdeathsig", "KILL"].map(OsString::from);
    let words: Vec<&OsString> = prefix.iter().chain(&death).chain(argv).collect();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    // Ctrl-C is for the test: the child goes when the test is gone, not in a race with it.
    command.process_group(0);
    Ok(command)
}

fn keep(mut child: Child, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_millis(50)) {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}
