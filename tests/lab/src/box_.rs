//! A box: systemd-nspawn boots a copy of a root image in about a second. The copy is an overlay whose upper layer is
//! in memory; the network is the loopback of the thread that boots it. See systemd-nspawn(1), nsenter(1).

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::host::ENVIRONMENT;
use crate::image::{Kind, image, tail};
use crate::keeper::Keeper;
use crate::place::Place;
use crate::{Debian, Host, cgroup, network};

const BOOT: Duration = Duration::from_mins(1);

/// A running container with systemd as PID 1. Dropping it kills it and removes all it had.
pub struct Box_ {
    // Fields are dropped in this order: first the processes, then what they used.
    _keeper: Keeper,
    place: Place,
    leader: u32,
    debian: Debian,
}

impl Box_ {
    /// Boots a box and waits until systemd has started everything (`running` or `degraded`).
    pub fn boot(debian: Debian) -> Result<Self> {
        let image = image(Kind::Box, debian)?;
        network::isolate()?;
        let place = Place::claim(&format!("box{}", debian.number()))?;
        let (run, root, lower) = (place.join(""), place.join("root"), image.join("root"));
        let cgroups = cgroup::prefixes(place.name())?;
        let log = place.join("console.log");
        let argv = nspawn(&cgroups.inner, &root, place.name());
        let keeper = Keeper::start(move || mount_copy(&lower, &run, &root), &cgroups.keeper, &argv, &log)?;
        let leader = wait_for_boot(&keeper, &log)?;
        Ok(Self {
            _keeper: keeper,
            place,
            leader,
            debian,
        })
    }

    /// Its name: unique on this machine, also that of its cgroup.
    pub fn name(&self) -> &str {
        self.place.name()
    }

    /// The process id, on this machine, of the box's PID 1.
    pub fn leader_pid(&self) -> u32 {
        self.leader
    }
}

impl Host for Box_ {
    fn debian(&self) -> Debian {
        self.debian
    }

    fn command(&self, argv: &[&str]) -> Command {
        enter(self.leader, argv)
    }

    /// Under script(1), which gives the shell a terminal of the box's own: it has no name for this machine's.
    fn shell(&self) -> Command {
        let term = format!("TERM={}", env::var("TERM").unwrap_or_else(|_| "dumb".to_owned()));
        self.command(&[
            "env",
            &term,
            "script",
            "--quiet",
            "--command",
            "bash --login",
            "/dev/null",
        ])
    }

    fn port(&self, guest: u16) -> Result<u16> {
        Ok(guest)
    }
}

fn enter(leader: u32, argv: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/nsenter");
    command.env_clear().envs(ENVIRONMENT);
    command
        .arg(format!("--target={leader}"))
        .args(["--all", "--wdns=/root", "--"])
        .args(argv);
    command
}

/// In a mount namespace of the calling thread, which the container inherits: the mounts end with it, however it ends.
fn mount_copy(lower: &Path, run: &Path, root: &Path) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("cannot leave the mount namespace")?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )?;
    let memory = run.join("rw");
    fs::create_dir(&memory)?;
    fs::create_dir(root)?;
    mount(Some("lab"), &memory, Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).context("cannot mount a tmpfs")?;
    let (upper, work) = (memory.join("upper"), memory.join("work"));
    fs::create_dir(&upper)?;
    fs::create_dir(&work)?;
    let layers = [("lowerdir", lower), ("upperdir", &upper), ("workdir", &work)];
    let options = layers.map(|(key, path)| format!("{key}={}", path.display())).join(",");
    mount(
        Some("lab"),
        root,
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .with_context(|| format!("cannot mount an overlay ({options})"))
}

/// nspawn's container survives nspawn's own death, hence a PID namespace around both: it goes whole or not at all.
fn nspawn(prefix: &[OsString], root: &Path, name: &str) -> Vec<OsString> {
    let keeper = "unshare --pid --fork --kill-child=KILL --mount-proc --propagation=private";
    let container = "env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --boot --quiet --register=no --keep-unit \
                     --capability=all --console=pipe --resolv-conf=copy-host --timezone=off --link-journal=no";
    let [keeper, container] = [keeper, container].map(|words| words.split(' ').map(OsString::from));
    let mut argv: Vec<OsString> = keeper.chain(prefix.iter().cloned()).chain(container).collect();
    argv.push(format!("--machine={name}").into());
    argv.push("--directory".into());
    argv.push(root.into());
    argv
}

fn wait_for_boot(keeper: &Keeper, log: &Path) -> Result<u32> {
    let deadline = Instant::now() + BOOT;
    while Instant::now() < deadline && !keeper.has_ended() {
        if let Some(leader) = leader(keeper.pid()).filter(|leader| is_up(*leader)) {
            return Ok(leader);
        }
        thread::sleep(Duration::from_millis(20));
    }
    let how = if keeper.has_ended() {
        "ended at once"
    } else {
        "is not up in time"
    };
    bail!("the box {how}; its console:\n{}", tail(log, 20))
}

/// The grandchild of the keeper's process (unshare, nspawn, PID 1), once it is systemd: before that, entering its
/// namespaces would still lead to this machine's files.
fn leader(pid: u32) -> Option<u32> {
    let leader = only_child(only_child(pid)?)?;
    let name = fs::read_to_string(format!("/proc/{leader}/comm")).ok()?;
    (name.trim_end() == "systemd").then_some(leader)
}

fn only_child(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn is_up(leader: u32) -> bool {
    let output = enter(leader, &["systemctl", "is-system-running"]).output();
    output.is_ok_and(|output| matches!(output.stdout.trim_ascii_end(), b"running" | b"degraded"))
}
