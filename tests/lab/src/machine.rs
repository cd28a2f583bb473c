//! A machine: a whole Debian under QEMU with a kernel of its own, for what a container cannot show: reboots, power
//! loss, the memory controller. Slower by far than a box where KVM is missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::image::{Kind, image, tail};
use crate::keeper::Keeper;
use crate::place::Place;
use crate::qemu::{self, Description};
use crate::ssh::Ssh;
use crate::{Debian, Host, network, port};

/// Twenty seconds alone on two emulated CPUs, minutes beside a busy build.
const BOOT: Duration = Duration::from_mins(8);
const SSH: u16 = 22;
const FORWARDED: std::ops::RangeInclusive<u16> = 3000..=3009;
const MEMORY_MIB: u32 = 2048;

/// A running machine with a disk of its own, fresh at every `boot`. Dropping it kills it.
pub struct Machine {
    // Fields are dropped in this order: the connection, QEMU, then the files they used.
    ssh: Ssh,
    keeper: Keeper,
    place: Place,
    forwards: BTreeMap<u16, u16>,
    debian: Debian,
}

impl Machine {
    /// Boots a machine and waits until systemd has started everything (`running` or `degraded`).
    pub fn boot(debian: Debian) -> Result<Self> {
        let image = image(Kind::Machine, debian)?;
        network::isolate()?;
        let place = Place::claim(&format!("machine{}", debian.number()))?;
        let guests = FORWARDED.chain([SSH]);
        let forwards: BTreeMap<u16, u16> = guests.clone().zip(port::free(guests.count())?).collect();
        let keeper = start(&image, &place, &forwards)?;
        let ssh = Ssh::new(
            forwards[&SSH],
            &image.join("key"),
            place.join("ssh"),
            place.join("ssh.log"),
        );
        let mut machine = Self {
            ssh,
            keeper,
            place,
            forwards,
            debian,
        };
        machine.wait_for_boot("")?;
        Ok(machine)
    }

    /// Reboots it from within, cleanly, and waits until it is up again.
    pub fn reboot(&mut self) -> Result<()> {
        let before = self.boot_id()?;
        // The connection may end before the answer does.
        let _ = self.run(&["systemctl", "reboot"])?;
        self.ssh.close();
        self.wait_for_boot(&before)
    }

    /// Resets it without a word to it, as a power failure would, and waits until it is up again.
    pub fn hard_reset(&mut self) -> Result<()> {
        let before = self.boot_id()?;
        self.ssh.close();
        qemu::reset(&self.place.join("qmp"))?;
        self.wait_for_boot(&before)
    }

    /// The kernel's id of this boot; another one after each reboot.
    pub fn boot_id(&self) -> Result<String> {
        Ok(self.read_file("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
    }

    fn wait_for_boot(&mut self, before: &str) -> Result<()> {
        let deadline = Instant::now() + BOOT;
        while !self.is_up(before) {
            if self.keeper.has_ended() || Instant::now() > deadline {
                bail!("the machine does not come up; its console:\n{}", self.console());
            }
            thread::sleep(Duration::from_millis(200));
        }
        self.ssh.keep_open()
    }

    fn is_up(&self, before: &str) -> bool {
        let script = "cat /proc/sys/kernel/random/boot_id && systemctl is-system-running --wait";
        let output = self.ssh.command(&["sh", "-c", script]).output();
        let text = output
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let state = text
            .split_once('\n')
            .filter(|(boot, _)| *boot != before)
            .map(|(_, state)| state.trim_end());
        matches!(state, Some("running" | "degraded"))
    }

    fn console(&self) -> String {
        let [console, qemu] = ["console.log", "qemu.log"].map(|file| tail(&self.place.join(file), 15));
        format!("{console}\n{qemu}")
    }
}

impl Host for Machine {
    fn debian(&self) -> Debian {
        self.debian
    }

    fn command(&self, argv: &[&str]) -> Command {
        self.ssh.command(argv)
    }

    fn shell(&self) -> Command {
        self.ssh.shell()
    }

    fn port(&self, guest: u16) -> Result<u16> {
        let here = self.forwards.get(&guest).copied();
        here.with_context(|| format!("port {guest} of the machine is not forwarded, only {FORWARDED:?}"))
    }
}

fn start(image: &Path, place: &Place, forwards: &BTreeMap<u16, u16>) -> Result<Keeper> {
    let [console, qmp, log]: [PathBuf; 3] = ["console.log", "qmp", "qemu.log"].map(|file| place.join(file));
    let description = Description {
        image,
        console: &console,
        qmp: &qmp,
        forwards,
        memory_mib: MEMORY_MIB,
    };
    Keeper::start(|| Ok(()), &[], &description.argv()?, &log)
}
