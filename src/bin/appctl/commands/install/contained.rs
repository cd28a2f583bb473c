//! What of the sandbox an app that did not come up seems to need, by what it said last, and the command that opens just
//! that. Advice only: nothing is opened by what an app says.

use std::path::{Path, PathBuf};

use appctl::spec::{Allowed, AppSpec, Level, quote_words};

/// What opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Need {
    Allow(Allowed),
    Write(PathBuf),
    /// It was refused something, and does not say what.
    Unknown,
}

/// What is said where, in lower case, and what opens it; all words must be there.
const SIGNS: [(&[&str], Allowed); 17] = [
    (&["was killed by sigsys"], Allowed::Personality),
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

/// The sentence with the command; `None` when nothing speaks for the sandbox. `typed` are the words after `appctl`.
pub(super) fn advice(message: &str, said: &[String], spec: &AppSpec, typed: &[String]) -> Option<String> {
    let sandbox = &spec.sandbox;
    let lines = said.iter().map(String::as_str).chain([message]);
    let mut needs: Vec<Need> = lines.filter_map(need).collect();
    needs.retain(|need| match need {
        Need::Allow(Allowed::Resources) => sandbox.level == Level::Strict && !sandbox.allows(Allowed::Resources),
        Need::Allow(allowed) => !sandbox.allows(*allowed),
        Need::Write(path) => !sandbox.write.iter().any(|open| path.starts_with(open)),
        Need::Unknown => true,
    });
    let known = needs.iter().find(|need| **need != Need::Unknown);
    let (why, options) = match known.or(needs.first()).filter(|_| sandbox.level != Level::Off)? {
        Need::Allow(allowed) => (
            format!("its sandbox forbids {}", allowed.word()),
            ["--allow", allowed.word()].map(str::to_owned),
        ),
        Need::Write(path) => {
            let path = path.to_string_lossy().into_owned();
            (
                format!("its sandbox has {path} read-only"),
                ["--write".to_owned(), path],
            )
        }
        Need::Unknown => (
            "its sandbox may be why".to_owned(),
            ["--sandbox", "off"].map(str::to_owned),
        ),
    };
    Some(format!(
        "{why}; if that is what it needs, type: {}",
        command(typed, &options)
    ))
}

/// The same command with more options.
fn command(typed: &[String], options: &[String]) -> String {
    let verb = typed.iter().position(|word| word == "install").map_or(0, |at| at + 1);
    let mut words = vec!["appctl".to_owned()];
    words.extend(typed[..verb].iter().chain(options).chain(&typed[verb..]).cloned());
    quote_words(&words)
}

fn need(line: &str) -> Option<Need> {
    let lower = line.to_ascii_lowercase();
    if READ_ONLY.iter().any(|sign| lower.contains(sign)) {
        return Some(path_in(line).map_or(Need::Unknown, Need::Write));
    }
    let found = SIGNS
        .iter()
        .find(|(words, _)| words.iter().all(|word| lower.contains(word)));
    if let Some((_, allowed)) = found {
        return Some(Need::Allow(*allowed));
    }
    REFUSED.iter().any(|sign| lower.contains(sign)).then_some(Need::Unknown)
}

/// The directory of the first absolute path in a line, the nearest that is there: a file that is not there yet cannot be
/// opened by itself.
fn path_in(line: &str) -> Option<PathBuf> {
    let quoted = line.split(['\'', '"', '`']).find(|part| part.starts_with('/'));
    let bare = || line.split_whitespace().find(|word| word.starts_with('/'));
    let path = quoted.or_else(bare)?.trim_end_matches([':', ',', '.', '/']);
    let above = Path::new(path).ancestors().skip(1);
    let mut there = above.filter(|above| above.is_dir() && *above != Path::new("/"));
    there.next().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use appctl::spec::{AppSpec, parse};

    use super::advice;

    fn spec(more: &str) -> AppSpec {
        let name = "web".parse().expect("a name");
        parse(&name, &format!("exec = 'x'\nuser = 'work'\n{more}")).expect("a good file")
    }

    fn said(line: &str, more: &str) -> Option<String> {
        let typed = ["install", "web", "--", "node", "a b.js"].map(str::to_owned);
        advice("it ended with exit status 1", &[line.to_owned()], &spec(more), &typed)
    }

    #[test]
    fn each_refusal_is_answered_with_what_opens_it() {
        for (line, options) in [
            ("unshare: unshare failed: Operation not permitted", "--allow namespaces"),
            (
                "strace: ptrace(PTRACE_TRACEME): Operation not permitted",
                "--allow debug",
            ),
            (
                "Error: EPERM: operation not permitted, chmod '/srv/x'",
                "--allow setgid",
            ),
            (
                "OSError: [Errno 97] Address family not supported by protocol",
                "--allow address-families",
            ),
            ("sudo: The \"no new privileges\" flag is set", "--allow privileges"),
            (
                "Error: EROFS: read-only file system, open '/usr/lib/none/file'",
                "--write /usr/lib",
            ),
            ("open /usr/lib/file: read-only file system", "--write /usr/lib"),
            ("Error: EPERM: operation not permitted", "--sandbox off"),
        ] {
            let expected = format!("appctl install {options} web -- node 'a b.js'");
            let advice = said(line, "").expect(line);
            assert!(advice.ends_with(&expected), "{advice}");
        }
    }

    #[test]
    fn what_is_open_already_is_no_reason() {
        let line = "unshare: unshare failed: Operation not permitted";
        assert_eq!(said(line, "sandbox = { allow = ['namespaces'] }"), None);
        assert_eq!(said(line, "sandbox = 'off'"), None);
        assert_eq!(said("setpriority: operation not permitted", ""), None);
        assert_eq!(said("TypeError: x is not a function", ""), None);
    }
}
