//! What speaks for the sandbox, and what opens it.

use std::path::{Path, PathBuf};

use appctl::spec::{Allowed, Level, Sandbox};
use nix::libc::SIGSYS;

use super::End;

/// What opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    Allow(Allowed),
    Write(PathBuf),
    /// It was refused something, and does not say what.
    Unknown,
}

impl Need {
    /// As options of `install` and `apply`.
    pub(super) fn options(&self) -> [String; 2] {
        match self {
            Self::Allow(allowed) => ["--allow", allowed.word()].map(str::to_owned),
            Self::Write(path) => ["--write".to_owned(), path.to_string_lossy().into_owned()],
            Self::Unknown => ["--sandbox", "off"].map(str::to_owned),
        }
    }
}

/// What is said where, in lower case, and what opens it; all words must be there.
const SIGNS: [(&[&str], Allowed); 16] = [
    (&["bad system call"], Allowed::Personality),
    (&["personality", "not permitted"], Allowed::Personality),
    (&["no usable sandbox"], Allowed::Namespaces),
    (&["namespace", "not permitted"], Allowed::Namespaces),
    (&["unshare", "not permitted"], Allowed::Namespaces),
    (&["ptrace", "not permitted"], Allowed::Debug),
    (&["perf_event", "not permitted"], Allowed::Debug),
    (&["eafnosupport"], Allowed::AddressFamilies),
    (&["address family not supported"], Allowed::AddressFamilies),
    (&["chmod", "not permitted"], Allowed::Setgid),
    (&["no new privileges"], Allowed::Privileges),
    (&["effective uid is not 0"], Allowed::Privileges),
    (&["no such file", "/dev/"], Allowed::Devices),
    (&["no such file", "/tmp/"], Allowed::Tmp),
    (&["setpriority", "not permitted"], Allowed::Resources),
    (&["affinity", "not permitted"], Allowed::Resources),
];
const READ_ONLY: [&str; 2] = ["read-only file system", "erofs"];
const REFUSED: [&str; 2] = ["operation not permitted", "eperm"];
/// What a level that hides homes answers there.
const DENIED: [&str; 2] = ["permission denied", "eacces"];
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// What it needs beyond its sandbox, as far as that can be known. The kernel answers refused system calls with an error,
/// and kills only for those of another architecture.
pub(super) fn need(end: &End, sandbox: &Sandbox) -> Option<Need> {
    if end.signal == Some(SIGSYS) {
        return Some(Need::Allow(Allowed::Personality)).filter(|need| is_closed(need, sandbox));
    }
    let said = end.said.iter().filter_map(|line| hint(line, sandbox.level));
    let needs: Vec<Need> = said.filter(|need| is_closed(need, sandbox)).collect();
    let known = needs.iter().find(|need| **need != Need::Unknown);
    known.or(needs.first()).cloned()
}

/// What is open already is no reason.
fn is_closed(need: &Need, sandbox: &Sandbox) -> bool {
    match need {
        Need::Allow(Allowed::Resources) if sandbox.level != Level::Strict => false,
        Need::Allow(allowed @ (Allowed::Tmp | Allowed::Processes)) => !sandbox.allows(*allowed),
        // No filter and no restriction is left once it may gain privileges.
        Need::Allow(allowed) => !sandbox.allows(*allowed) && !sandbox.allows(Allowed::Privileges),
        Need::Write(path) => !sandbox.write.iter().any(|open| path.starts_with(open)),
        Need::Unknown => true,
    }
}

fn hint(line: &str, level: Level) -> Option<Need> {
    let lower = line.to_ascii_lowercase();
    let is_any_of = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    if is_any_of(&READ_ONLY) {
        return Some(directory_in(line).map_or(Need::Unknown, Need::Write));
    }
    if level == Level::Strict && is_any_of(&DENIED) {
        let hidden = directory_in(line).filter(|path| HOMES.iter().any(|home| path.starts_with(home)));
        return hidden.map(Need::Write);
    }
    let found = SIGNS
        .iter()
        .find(|(words, _)| words.iter().all(|word| lower.contains(word)));
    if let Some((_, allowed)) = found {
        return Some(Need::Allow(*allowed));
    }
    is_any_of(&REFUSED).then_some(Need::Unknown)
}

/// The directory of the first absolute path in a line, the nearest that is there: a file that is not there yet cannot be
/// opened by itself.
fn directory_in(line: &str) -> Option<PathBuf> {
    let quoted = line.split(['\'', '"', '`']).find(|part| part.starts_with('/'));
    let bare = || line.split_whitespace().find(|word| word.starts_with('/'));
    let path = quoted.or_else(bare)?.trim_end_matches([':', ',', '.', '/']);
    let above = Path::new(path).ancestors().skip(1);
    let mut there = above.filter(|above| above.is_dir() && *above != Path::new("/"));
    there.next().map(Path::to_owned)
}
