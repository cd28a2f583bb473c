//! How a machine is described to QEMU, whether this host can accelerate it, and the one order it gets by QMP.
//! See qemu-system(1), "Kernel/initrd" and QMP's `system_reset`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::place;

const PROGRAM: &str = "qemu-system-x86_64";
/// QEMU 7.2 now and then leaves rubbish in the flags after CMPXCHG16B, and Linux 6.12 dies of it (double fault in
/// kmalloc). Without the instruction it uses another way. Four levels of page tables are quicker to walk than five.
const EMULATED: &str = "max,cx16=off,la57=off";
const KERNEL_LINE: &str = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off panic=-1";

/// Files and numbers of one machine.
pub(crate) struct Description<'a> {
    pub(crate) image: &'a Path,
    pub(crate) console: &'a Path,
    pub(crate) qmp: &'a Path,
    /// Guest port to loopback port here.
    pub(crate) forwards: &'a BTreeMap<u16, u16>,
    pub(crate) memory_mib: u32,
}

impl Description<'_> {
    /// The command line. The disk is a snapshot: what the guest writes goes to an unlinked file and ends with QEMU.
    pub(crate) fn argv(&self) -> Result<Vec<OsString>> {
        let (image, console, qmp) = (self.image.display(), self.console.display(), self.qmp.display());
        let forwards = self
            .forwards
            .iter()
            .map(|(guest, here)| format!(",hostfwd=tcp:127.0.0.1:{here}-:{guest}"));
        let mut argv = base();
        argv.extend(accelerator()?.into_iter().map(OsString::from));
        let options = [
            ("-smp", "2".to_owned()),
            ("-m", self.memory_mib.to_string()),
            ("-kernel", format!("{image}/vmlinuz")),
            ("-initrd", format!("{image}/initrd")),
            ("-append", KERNEL_LINE.to_owned()),
            (
                "-drive",
                format!("file={image}/disk.ext4,format=raw,if=virtio,snapshot=on,cache=unsafe"),
            ),
            (
                "-nic",
                format!("user,model=virtio-net-pci{}", forwards.collect::<String>()),
            ),
            ("-serial", format!("file:{console}")),
            ("-qmp", format!("unix:{qmp},server=on,wait=off")),
        ];
        argv.extend(options.into_iter().flat_map(|(key, value)| [key.into(), value.into()]));
        Ok(argv)
    }
}

fn base() -> Vec<OsString> {
    let words = "-M q35 -nodefaults -no-user-config -display none -device virtio-rng-pci";
    std::iter::once(PROGRAM)
        .chain(words.split(' '))
        .map(OsString::from)
        .collect()
}

/// KVM where a guest really runs under it, else emulation with a thread per CPU.
fn accelerator() -> Result<[&'static str; 4]> {
    let known = Path::new(place::ROOT).join("accelerator");
    let kvm = if let Ok(text) = fs::read_to_string(&known) {
        text == "kvm"
    } else {
        let works = kvm_works();
        fs::write(&known, if works { "kvm" } else { "tcg" }).context("cannot note the accelerator")?;
        works
    };
    Ok(if kvm {
        ["-accel", "kvm", "-cpu", "host"]
    } else {
        ["-accel", "tcg,thread=multi", "-cpu", EMULATED]
    })
}

/// Some hosts offer a `/dev/kvm` under which no guest gets past its first instructions. So the firmware must come as far
/// as handing over to a boot sector that asks for a power-off (the ISA debug exit device), within five seconds.
fn kvm_works() -> bool {
    // mov dx, 0xf4; mov al, 0x10; out dx, al; hlt
    let mut sector = vec![0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xf4];
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    let file = Path::new(place::ROOT).join("kvm-probe");
    if !Path::new("/dev/kvm").exists() || fs::write(&file, sector).is_err() {
        return false;
    }
    let drive = format!("file={},format=raw,if=ide,snapshot=on", file.display());
    let mut probe = Command::new("timeout");
    probe.args([
        "--signal=KILL",
        "5",
        PROGRAM,
        "-accel",
        "kvm",
        "-cpu",
        "host",
        "-nodefaults",
        "-display",
        "none",
    ]);
    probe.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", &drive]);
    let status = probe
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // The device exits with twice the value written, plus one.
    status.is_ok_and(|status| status.code() == Some(0x21))
}

/// Resets the machine as its button would: nothing in it is told.
pub(crate) fn reset(qmp: &Path) -> Result<()> {
    let stream = UnixStream::connect(qmp).context("cannot reach QEMU")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut writer = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    for order in ["qmp_capabilities", "system_reset"] {
        writeln!(writer, "{}", serde_json::json!({ "execute": order }))?;
        loop {
            let line = lines.next().context("QEMU hung up")??;
            let answer: serde_json::Value = serde_json::from_str(&line)?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refused {order}: {error}");
            }
            if answer.get("return").is_some() {
                break;
            }
        }
    }
    Ok(())
}
