//! What systemd would set up around a shim. Nothing here waits for a fixed time; everything waits for something, with a
//! deadline.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use tempfile::TempDir;

use crate::running::Shim;

/// Far beyond what any of this takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

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
    /// Both, where they are not files.
    output: Option<OwnedFd>,
}

impl Lab {
    pub(crate) fn new(options: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let notify = UnixDatagram::bind(dir.path().join("systemd")).expect("a notify socket");
        notify
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a timeout");
        // Not that of the machine that runs the tests.
        let journal = format!("--journal={}", dir.path().join("journald/stdout").display());
        let options = options.split_whitespace().map(str::to_owned);
        let options = [journal].into_iter().chain(options).collect();
        Self {
            dir,
            notify,
            options,
            env: Vec::new(),
            fds: Vec::new(),
            instance: "1".to_owned(),
            output: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The socket that stands for systemd's.
    pub(crate) fn systemd(&self) -> RawFd {
        self.notify.as_raw_fd()
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

    /// Stdout and stderr are one stream, as systemd connects them to the journal.
    pub(crate) fn output(mut self, stream: OwnedFd) -> Self {
        self.output = Some(stream);
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
        let output = |name: &str| match &self.output {
            Some(stream) => Stdio::from(stream.try_clone().expect("a fd")),
            None => File::create(self.path().join(name)).expect("an output file").into(),
        };
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
            .env_remove("JOURNAL_STREAM")
            .env_remove("NODE_OPTIONS")
            .env_remove("PORT");
        command
            .env("LISTEN_FDNAMES", names.join(":"))
            .envs(self.env.iter().cloned());
        command.stdin(Stdio::null()).stdout(output("out")).stderr(output("err"));
        let fds: Vec<_> = self.fds.iter().map(|(fd, _)| fd).collect();
        let child = spawn_with(&mut command, &fds);
        Shim::new(child, self)
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
