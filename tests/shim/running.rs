//! A shim at work, seen from systemd's side: what it told, what its app printed, how it ended.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::IoSliceMut;
use std::os::fd::RawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;

use crate::adapter::Adapter;
use crate::harness::{Lab, eventually};

/// A shim at work.
pub(crate) struct Shim {
    child: Child,
    lab: Lab,
    /// Every line it sent to systemd.
    seen: RefCell<Vec<String>>,
    /// The file it put into systemd's store.
    stored: RefCell<Option<File>>,
}

impl Shim {
    pub(crate) fn new(child: Child, lab: Lab) -> Self {
        Self {
            child,
            lab,
            seen: RefCell::default(),
            stored: RefCell::default(),
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.lab.path().join(name)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the shim lives");
    }

    /// Takes in what was sent to systemd until now.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.receive();
        self.seen.borrow().clone()
    }

    /// Takes in all that was sent until now.
    fn catch_up(&self) {
        let mut before = usize::MAX;
        while before != self.seen().len() {
            before = self.seen.borrow().len();
        }
    }

    fn receive(&self) {
        let mut buffer = [0; 8_192];
        let mut space = nix::cmsg_space!(RawFd);
        let (length, fd) = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let Ok(message) = recvmsg::<()>(self.lab.systemd(), &mut parts, Some(&mut space), flags) else {
                return;
            };
            let fd = message
                .cmsgs()
                .expect("whole control data")
                .find_map(|part| match part {
                    ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
                    _ => None,
                });
            (message.bytes, fd)
        };
        let text = str::from_utf8(&buffer[..length]).expect("text");
        self.seen.borrow_mut().extend(text.lines().map(str::to_owned));
        if let Some(number) = fd {
            let file = File::options()
                .read(true)
                .write(true)
                .open(format!("/proc/self/fd/{number}"));
            nix::unistd::close(number).expect("a fd of ours");
            *self.stored.borrow_mut() = Some(file.expect("a file"));
        }
    }

    /// Waits for a line to systemd that begins like this.
    #[track_caller]
    pub(crate) fn notified(&self, beginning: &str) -> String {
        let begins = |line: &&String| line.starts_with(beginning);
        let what = format!("{beginning} (stderr: {})", self.stderr());
        eventually(&what, || self.seen().iter().find(begins).cloned())
    }

    /// The app's pid, from the status line.
    #[track_caller]
    pub(crate) fn app(&self) -> i32 {
        let line = eventually("a status with a pid", || {
            self.seen().into_iter().find(|line| line.contains("; pid "))
        });
        let (_, rest) = line.split_once("; pid ").expect("searched for");
        rest.split(';').next().and_then(|pid| pid.parse().ok()).expect("a pid")
    }

    /// The app's pid, once it is `sleep` and sleeps: before, it is the shim's own exec stage or opens its own files.
    #[track_caller]
    pub(crate) fn at_rest(&self) -> i32 {
        let pid = self.app();
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let sleeps = || read("syscall").split(' ').next() == Some(&nix::libc::SYS_clock_nanosleep.to_string());
        eventually("the app sleeps", || {
            (read("comm").trim() == "sleep" && sleeps()).then_some(())
        });
        pid
    }

    /// `READY=1` and `STOPPING=1` in the order they were sent, all sent by a shim that has ended.
    pub(crate) fn sequence(&self) -> Vec<String> {
        self.catch_up();
        let marks = |line: &String| ["READY=1", "STOPPING=1"].contains(&line.as_str());
        self.seen.borrow().iter().filter(|line| marks(line)).cloned().collect()
    }

    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.path("out")).expect("an output file")
    }

    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.path("err")).expect("an output file")
    }

    /// Waits for the app to have printed this.
    #[track_caller]
    pub(crate) fn printed(&self, text: &str) {
        eventually(&format!("output {text:?}"), || {
            self.stdout().contains(text).then_some(())
        });
    }

    /// Waits for a line in the log.
    #[track_caller]
    pub(crate) fn logged(&self, text: &str) {
        let what = format!("log line {text:?} in {:?}", self.stderr());
        eventually(&what, || self.stderr().contains(text).then_some(()));
    }

    /// Whether it has not ended, not even as a zombie.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_none()
    }

    /// Waits for the shim's end.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually("the shim's end", || {
            self.receive();
            self.child.try_wait().expect("our child")
        })
    }

    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.ended().code()
    }

    #[track_caller]
    pub(crate) fn exit_signal(&mut self) -> Option<i32> {
        self.ended().signal()
    }

    /// Asks it to stop, and waits for that.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// What systemd would hand to the next shim.
    pub(crate) fn take_stored(&self) -> File {
        self.notified("FDNAME=backoff");
        self.stored.borrow_mut().take().expect("a stored file")
    }

    /// An adapter connects and greets.
    #[track_caller]
    pub(crate) fn adapter(&self) -> Adapter {
        let mut adapter = self.stranger();
        adapter.say("hello 1 4711");
        adapter
    }

    /// A connection to the control socket that has said nothing.
    #[track_caller]
    pub(crate) fn stranger(&self) -> Adapter {
        Adapter::connect(&self.path("control.sock"))
    }
}

impl Drop for Shim {
    /// A failed test leaves no process: the app's group is in the status line.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.catch_up();
        let line = self.seen.borrow().iter().find(|line| line.contains("; pid ")).cloned();
        let pid = line.and_then(|line| line.split("; pid ").nth(1)?.split(';').next()?.parse().ok());
        if let Some(pid) = pid {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
