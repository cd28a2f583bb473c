//! The app's processes: started through `appctl-shim exec`, in a process group of their own, signalled, reaped.

use std::io;
use std::os::fd::{AsFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use appctl::contract::shim_args::{EXEC, RunArgs};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg, raise};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

use crate::environment::Changes;
use crate::journal::{self, Stream};
use crate::last_words;
use crate::machine::{Event, Exit};
use crate::sockets::Sockets;

/// The first real-time signal. nix has no name for those, so one that ended a process is not told from another.
const REAL_TIME: i32 = 34;

/// Processes reaped in a row.
const MOST: u32 = 1_000;

/// The app's main process, and the group it leads.
pub(crate) struct Child {
    pid: Pid,
    exited: bool,
    stderr: Option<Stream>,
}

impl Child {
    /// Only what is inheritable now reaches the app: 0, 1, 2, the sockets, and an IPC channel.
    pub(crate) fn spawn(
        args: &RunArgs,
        sockets: &Sockets,
        channel: Option<RawFd>,
        changes: Changes,
    ) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("appctl-shim").arg(EXEC).process_group(0);
        let numbers: Vec<_> = sockets.numbers().iter().map(ToString::to_string).collect();
        command.arg(format!("--fds={}", numbers.join(",")));
        if let Some(number) = channel {
            command.arg(format!("--channel={number}"));
        }
        command.arg("--").args(&args.argv);
        for (name, value) in changes {
            match value {
                Some(value) => command.env(&*name, value),
                None => command.env_remove(&*name),
            };
        }
        let stderr = own_stderr(args);
        if let Some(stream) = &stderr {
            command
                .stderr(Stdio::from(stream.for_app()?))
                .env("JOURNAL_STREAM", stream.name());
        }
        // A pid always fits; the handle is not needed, since every child is reaped below.
        let pid = i32::try_from(command.spawn()?.id()).unwrap_or(i32::MAX);
        Ok(Self {
            pid: Pid::from_raw(pid),
            exited: false,
            stderr,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// To the main process, or to what is left of its group.
    pub(crate) fn stop(&self, signal: Signal) {
        let _ = if self.exited {
            killpg(self.pid, signal)
        } else {
            kill(self.pid, signal)
        };
    }

    /// To the main process only.
    pub(crate) fn forward(&self, signal: Signal) {
        if !self.exited {
            let _ = kill(self.pid, signal);
        }
    }

    pub(crate) fn kill_group(&self) {
        let _ = killpg(self.pid, Signal::SIGKILL);
    }

    /// After `SIGCHLD`: takes away every dead process, orphans of the app too, and tells what it means.
    pub(crate) fn reap(&mut self) -> Option<Event> {
        self.settle();
        let ended = self.collect();
        let leftovers = killpg(self.pid, None).is_ok();
        match ended {
            Some(exit) => {
                self.exited = true;
                Some(Event::AppExited { exit, leftovers })
            }
            None => (self.exited && !leftovers).then_some(Event::GroupGone),
        }
    }

    /// Before the main process is taken away; it stays a zombie until then.
    fn settle(&self) {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let ended = !self.exited && !matches!(waitid(Id::Pid(self.pid), look), Ok(WaitStatus::StillAlive));
        if ended {
            let stdout = journal::stdout();
            let stderr = self.stderr.iter().map(Stream::as_fd);
            last_words::settle(&stderr.chain(stdout.iter().map(AsFd::as_fd)).collect::<Vec<_>>());
        }
    }

    fn collect(&self) -> Option<Exit> {
        let mut ended = None;
        let mut nameless = false;
        for left in (0..MOST).rev() {
            if left == 0 {
                // An app can make orphans faster than they are reaped: the rest after what else has happened.
                let _ = raise(Signal::SIGCHLD);
            }
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == self.pid => ended = Some(Exit::Code(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.pid => {
                    ended = Some(Exit::Signal(signal as i32));
                }
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                Ok(_) => {}
                // Reaped, but by a signal that nix does not know.
                Err(_) => nameless = true,
            }
        }
        let gone = nameless && !self.exited && kill(self.pid, None) == Err(Errno::ESRCH);
        ended.or_else(|| gone.then_some(Exit::Signal(REAL_TIME)))
    }
}

/// A stream of its own where the operator left stderr to the journal; else, or without journald, the inherited one.
fn own_stderr(args: &RunArgs) -> Option<Stream> {
    let wanted = journal::is_journal(io::stderr());
    wanted
        .then(|| Stream::open(&args.options.journal, args.app.as_str()).ok())
        .flatten()
}
