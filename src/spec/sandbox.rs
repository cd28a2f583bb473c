//! `sandbox`: a level, and what an app may do beyond it. The file has a word (`sandbox = "strict"`) or a table.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeTable;

use super::fields::Fields;
use super::keys;
use super::problem::Findings;

/// How much of the system an instance can see and do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sandbox {
    /// What is forbidden, but for the exceptions below.
    pub level: Level,
    /// What the level forbids and the app may do all the same.
    pub allow: BTreeSet<Allowed>,
    /// Paths that the app may write where its account may; the level would make them read-only.
    pub write: Vec<PathBuf>,
}

/// The base of a [`Sandbox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Nothing is forbidden beyond what the account may not do.
    Off,
    /// What no web app misses: no privileges, a read-only system, private /tmp and devices, no system calls that an
    /// account without rights has no use for.
    #[default]
    Standard,
    /// Standard, with only the system calls of a service, hidden homes, and a user namespace of its own.
    Strict,
}

impl Level {
    /// As it stands in the file.
    pub fn word(self) -> &'static str {
        keys::LEVELS.word(self)
    }
}

/// One thing that a level forbids and that can be opened alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowed {
    /// Namespaces, and mounts in them.
    Namespaces,
    /// `ptrace(2)`, `perf_event_open(2)`.
    Debug,
    /// personality(2), and programs of another architecture.
    Personality,
    /// Sockets beyond IP, unix and netlink.
    AddressFamilies,
    /// Other accounts' processes in /proc.
    Processes,
    /// The system's /dev instead of a private one.
    Devices,
    /// The system's own /tmp and /var/tmp.
    Tmp,
    /// Setuid and setgid bits on files.
    Setgid,
    /// CPU affinity, priorities and the like, which only strict forbids.
    Resources,
    /// Setuid programs, and all capabilities for root.
    Privileges,
}

impl Allowed {
    /// As it stands in the file.
    pub fn word(self) -> &'static str {
        keys::ALLOWED.word(self)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        keys::LEVELS.meaning(text)
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        keys::ALLOWED.meaning(text)
    }
}

impl Sandbox {
    /// A level with nothing beyond it.
    pub fn of(level: Level) -> Self {
        Self {
            level,
            ..Self::default()
        }
    }

    /// Whether `allow` lists `what`; the level may not forbid it in the first place.
    pub fn allows(&self, what: Allowed) -> bool {
        self.allow.contains(&what)
    }

    /// The table `[sandbox]`; nothing for the default.
    pub fn to_toml(&self) -> String {
        let quoted = |texts: Vec<String>| format!("[{}]", texts.join(", "));
        let mut lines = Vec::new();
        if self.level != Level::default() {
            lines.push(format!("level = \"{}\"", self.level.word()));
        }
        if !self.allow.is_empty() {
            let words = self.allow.iter().map(|allowed| format!("\"{}\"", allowed.word()));
            lines.push(format!("allow = {}", quoted(words.collect())));
        }
        if !self.write.is_empty() {
            let paths = self
                .write
                .iter()
                .map(|path| super::writer::quoted(&path.to_string_lossy()));
            lines.push(format!("write = {}", quoted(paths.collect())));
        }
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "\n# What the app can see and do on this machine.\n[sandbox]\n{}\n",
            lines.join("\n")
        )
    }
}

/// Reads `[sandbox]`; what is wrong with it goes to the findings.
pub(super) fn table(table: &DeTable<'_>, findings: &mut Findings<'_>) -> Sandbox {
    let fields = Fields::root(&keys::SANDBOX_TABLE, table, findings);
    let level = fields.take_or_default(&keys::SANDBOX_LEVEL, findings);
    let allow = fields.take_or_default(&keys::SANDBOX_ALLOW, findings);
    let write = fields.take_or_default(&keys::SANDBOX_WRITE, findings);
    if level == Level::Off {
        refuse_unused(&fields, findings);
    }
    refuse_ineffective(level, &allow, findings);
    Sandbox {
        level,
        allow: allow.into_iter().map(Spanned::into_inner).collect(),
        write: write.into_iter().map(Spanned::into_inner).collect(),
    }
}

fn refuse_unused(fields: &Fields<'_>, findings: &mut Findings<'_>) {
    let keys = [
        (fields.span(&keys::SANDBOX_ALLOW), "allow"),
        (fields.span(&keys::SANDBOX_WRITE), "write"),
    ];
    for (span, name) in keys {
        if let Some(span) = span {
            let message = format!("`{name}` has no effect: level = \"off\" forbids nothing");
            findings.rule(span, message, "remove it, or set another level");
        }
    }
}

/// A word that changes nothing is a misunderstanding.
fn refuse_ineffective(level: Level, allow: &[Spanned<Allowed>], findings: &mut Findings<'_>) {
    let resources = allow.iter().find(|given| *given.get_ref() == Allowed::Resources);
    if let Some(given) = resources.filter(|_| level == Level::Standard) {
        let message = "\"resources\" has no effect: only level = \"strict\" forbids them";
        findings.rule(given.span(), message, "remove it");
    }
}
