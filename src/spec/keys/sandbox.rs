//! `sandbox`: a word, or the keys of `[sandbox]`.

use crate::spec::key::{Key, Section};
use crate::spec::kind::{Choice, OneOrMany, SandboxKind, WritePath};
use crate::spec::{Allowed, Level};

pub(in crate::spec) static SANDBOX: Key<SandboxKind> = Key {
    name: "sandbox",
    aka: &["security", "hardening"],
    kind: SandboxKind,
    default: Some("\"standard\""),
    doc: "What the app can see and do on this machine: a level alone, or [sandbox] with what is opened beyond it.",
};

pub(in crate::spec) static SANDBOX_TABLE: Section = Section {
    name: "sandbox",
    doc: "A level, and what the app may do beyond it.",
    required: &[],
    keys: &[&SANDBOX_LEVEL, &SANDBOX_ALLOW, &SANDBOX_WRITE],
};

pub(in crate::spec) const LEVELS: Choice<Level> = Choice(&[
    ("off", Level::Off),
    ("standard", Level::Standard),
    ("strict", Level::Strict),
]);

pub(in crate::spec) static SANDBOX_LEVEL: Key<Choice<Level>> = Key {
    name: "level",
    aka: &["base", "preset"],
    kind: LEVELS,
    default: Some("\"standard\""),
    doc: "off: nothing beyond the account. standard: no privileges, a read-only system, private /tmp and devices, no \
          system calls that only privileged programs use. strict: only the system calls of a service, hidden homes, \
          a user namespace of its own.",
};

pub(in crate::spec) const ALLOWED: Choice<Allowed> = Choice(&[
    ("namespaces", Allowed::Namespaces),
    ("debug", Allowed::Debug),
    ("personality", Allowed::Personality),
    ("address-families", Allowed::AddressFamilies),
    ("processes", Allowed::Processes),
    ("devices", Allowed::Devices),
    ("tmp", Allowed::Tmp),
    ("setgid", Allowed::Setgid),
    ("resources", Allowed::Resources),
    ("privileges", Allowed::Privileges),
]);

pub(in crate::spec) static SANDBOX_ALLOW: Key<OneOrMany<Choice<Allowed>>> = Key {
    name: "allow",
    aka: &["allows", "permit", "relax", "except"],
    kind: OneOrMany(ALLOWED),
    default: Some("[]"),
    doc: "One or several things that the level forbids and this app needs. namespaces: containers in the app, such as \
          those of Chrome's own sandbox and bubblewrap. debug: ptrace and perf. personality: 32-bit programs, wine, \
          setarch. address-families: sockets beyond IP, unix and netlink, such as Bluetooth and CAN. processes: other \
          accounts' processes in /proc. devices: the system's /dev, for a GPU or a serial port. tmp: the system's own \
          /tmp and /var/tmp. setgid: chmod g+s. resources: CPU affinity and priorities (strict). privileges: setuid \
          programs such as sudo and sendmail; with user = \"root\", all of its capabilities.",
};

pub(in crate::spec) static SANDBOX_WRITE: Key<OneOrMany<WritePath>> = Key {
    name: "write",
    aka: &["writable", "read_write_paths", "readwritepaths", "rw"],
    kind: OneOrMany(WritePath),
    default: Some("[]"),
    doc: "One or several files and directories, beside its own, that the app may write where its account may.",
};
