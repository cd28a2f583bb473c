//! A shim under test: what systemd would set up around it, and what can be seen of it. Nothing here waits for a fixed
//! time; everything waits for something, with a deadline.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{IoSliceMut, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Far beyond what any of this takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Every fd that is inheritable for a moment would reach the children of all other tests.
static SPAWNING: Mutex<()> = Mutex::new(());

/// The program under test.
pub(crate) fn shim_path() -> PathBuf {
    std::env::var_os("APPCTL_SHIM").map_or_else(|| env!("CARGO_BIN_EXE_appctl-shim").into(), PathBuf::from)
}

/// Waits until `probe` has an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What is set up before a shim starts.
pub(crate) struct Lab {
    dir: TempDir,
    notify: UnixDatagram,
    options: Vec<String>,
    env: Vec<(String, String)>,
    fds: Vec<(OwnedFd, String)>,
    instance: String,
}

impl Lab {
    pub(crate) fn new(options: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let notify = UnixDatagram::bind(dir.path().join("systemd")).expect("a notify socket");
        notify
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a timeout");
        let options = options.split_whitespace().map(str::to_owned).collect();
        Self {
            dir,
            notify,
            options,
            env: Vec::new(),
            fds: Vec::new(),
            instance: "1".to_owned(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn option(mut self, option: String) -> Self {
        self.options.push(option);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn instance(mut self, instance: &str) -> Self {
        instance.clone_into(&mut self.instance);
        self
    }

    /// A fd that systemd passes, under its name.
    pub(crate) fn pass(mut self, fd: impl Into<OwnedFd>, name: &str) -> Self {
        self.fds.push((fd.into(), name.to_owned()));
        self
    }

    /// A held TCP socket, and its port.
    pub(crate) fn tcp(self) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let lab = self.option("--sockets=1".to_owned()).pass(listener, "web.socket");
        (lab, port)
    }

    /// With the adapter (a file that does nothing) and one held socket.
    pub(crate) fn with_adapter(self) -> (Self, u16) {
        let adapter = self.path().join("adapter.cjs");
        fs::write(&adapter, "").expect("an adapter");
        self.option(format!("--adapter={}", adapter.display())).tcp()
    }

    /// Starts the shim as systemd would: fds from 3, `LISTEN_PID` its own pid.
    pub(crate) fn start(self, argv: &[&str]) -> Shim {
        let output = |name: &str| File::create(self.path().join(name)).expect("an output file");
        let mut command = Command::new(shim_path());
        let numbers: Vec<_> = self.fds.iter().map(|(fd, _)| fd.as_raw_fd().to_string()).collect();
        let names: Vec<_> = self.fds.iter().map(|(_, name)| name.as_str()).collect();
        command
            .arg("exec")
            .arg(format!("--fds={}", numbers.join(",")))
            .arg("--")
            .arg(shim_path());
        command
            .arg("run")
            .args(&self.options)
            .args(["--", "web", &self.instance])
            .args(argv);
        command
            .env("RUNTIME_DIRECTORY", self.path())
            .env("NOTIFY_SOCKET", self.path().join("systemd"));
        command
            .env("LISTEN_FDNAMES", names.join(":"))
            .envs(self.env.iter().cloned());
        command
            .env_remove("JOURNAL_STREAM")
            .env_remove("NODE_OPTIONS")
            .env_remove("PORT");
        command.stdin(Stdio::null()).stdout(output("out")).stderr(output("err"));
        let fds: Vec<_> = self.fds.iter().map(|(fd, _)| fd).collect();
        let child = spawn_with(&mut command, &fds);
        Shim {
            child,
            lab: self,
            seen: RefCell::default(),
            stored: RefCell::default(),
        }
    }
}

fn spawn_with(command: &mut Command, fds: &[&OwnedFd]) -> Child {
    let _alone = SPAWNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mark = |flags| {
        for fd in fds {
            assert_eq!(fcntl(fd, FcntlArg::F_SETFD(flags)), Ok(0));
        }
    };
    mark(FdFlag::empty());
    let child = command.spawn().expect("the shim starts");
    mark(FdFlag::FD_CLOEXEC);
    child
}

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

    fn receive(&self) {
        let mut buffer = [0; 8_192];
        let mut space = nix::cmsg_space!(RawFd);
        let (length, fd) = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let Ok(message) = recvmsg::<()>(self.lab.notify.as_raw_fd(), &mut parts, Some(&mut space), flags) else {
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

    /// The app's pid, once it is the app: before, it is the shim's own exec stage.
    #[track_caller]
    pub(crate) fn running(&self, comm: &str) -> i32 {
        let pid = self.app();
        let name = || fs::read_to_string(format!("/proc/{pid}/comm")).ok();
        eventually(&format!("process {pid} is {comm}"), || {
            name().filter(|name| name.trim() == comm)
        });
        pid
    }

    /// `READY=1` and `STOPPING=1` in the order they were sent, all sent by a shim that has ended.
    pub(crate) fn sequence(&self) -> Vec<String> {
        let mut before = usize::MAX;
        while before != self.seen().len() {
            before = self.seen.borrow().len();
        }
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
        let path = self.path("control.sock");
        let stream = eventually("a control socket", || UnixStream::connect(&path).ok());
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Adapter(stream)
    }
}

impl Drop for Shim {
    /// A failed test leaves no process: the app's group is in the status line.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let line = self.seen.borrow().iter().find(|line| line.contains("; pid ")).cloned();
        let pid = line.and_then(|line| line.split("; pid ").nth(1)?.split(';').next()?.parse().ok());
        if let Some(pid) = pid {
            let _ = nix::sys::signal::killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// The test in the place of the Node adapter.
pub(crate) struct Adapter(UnixStream);

impl Adapter {
    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the shim reads");
    }

    /// The next line of the shim.
    #[track_caller]
    pub(crate) fn hears(&mut self) -> String {
        let mut line = String::new();
        let mut byte = [0];
        while !line.ends_with('\n') {
            assert_eq!(
                self.0.read(&mut byte).expect("a line in time"),
                1,
                "hung up after {line:?}"
            );
            line.push(char::from(byte[0]));
        }
        line.trim_end().to_owned()
    }

    /// Whether the shim hung up.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

impl AsFd for Adapter {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
