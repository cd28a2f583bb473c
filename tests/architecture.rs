//! The direction of the source tree: bins use host, host uses drive and the other pure folders, these use spec, never back; and what is
//! pure names neither files, processes, sockets, clocks nor a runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[path = "architecture/prose.rs"]
mod prose;

/// What each part may use of the library, beside itself. `paths` are prefixes of what follows `crate::` or `appctl::`.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("contract", &["spec"]),
    ("spec", &[]),
    ("unit", &["spec", "contract"]),
    ("rollout", &["spec", "release"]),
    ("release", &["spec", "contract"]),
    ("observe", &["spec", "contract", "release"]),
    ("drive", &["spec", "contract", "rollout", "release", "observe"]),
    (
        "host",
        &["spec", "unit", "rollout", "release", "observe", "contract", "drive"],
    ),
    (
        "bin/appctl",
        &[
            "spec", "unit", "rollout", "release", "observe", "contract", "drive", "host",
        ],
    ),
    (
        "bin/appctl-generator",
        &[
            "spec",
            "unit",
            "observe",
            "contract::paths",
            "host::foreign",
            "host::machine",
            "host::trusted",
        ],
    ),
    (
        "bin/appctl-shim",
        &[
            "contract",
            "observe",
            "spec::AppName",
            "spec::Instance",
            "spec::InvalidName",
            "spec::variables",
            "spec::visible",
        ],
    ),
];

const PURE: [&str; 7] = ["contract", "spec", "unit", "rollout", "release", "observe", "drive"];

/// Effects. `std::net` itself is pure: an address is only a number.
const EFFECTS: [&str; 14] = [
    "std::fs",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::env",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "tokio",
    "zbus",
    "nix",
];

/// The text of every Rust file below `src`, by its path there.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![src.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&src)
                    .expect("below src")
                    .to_string_lossy()
                    .into_owned();
                found.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    found
}

/// Every path in the code, without comments and literals; `use a::{b, c}` written in full.
fn names(text: &str) -> Vec<String> {
    let code: String = strip(text).replace(char::is_whitespace, " ");
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let (path, after) = path_at(&rest[at..]);
        found.extend(path);
        rest = after;
    }
    found
}

/// One path and everything in its braces: `a::{b,c::d}` is `a::b` and `a::c::d`.
fn path_at(text: &str) -> (Vec<String>, &str) {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let Some(prefix) = path.strip_suffix("::").filter(|_| rest.starts_with('{')) else {
        return (vec![path.to_owned()], rest);
    };
    let close = closing(rest);
    let inner = names(&rest[1..close]);
    let full = inner.into_iter().map(|name| format!("{prefix}::{name}"));
    (full.collect(), &rest[(close + 1).min(rest.len())..])
}

/// Where the brace at the beginning is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Blanks out line comments, strings and characters: prose and messages may name anything.
fn strip(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = skip_literal(rest, out.chars().next_back());
        out.push(if skipped > 0 { ' ' } else { c });
        rest = &rest[skipped.max(c.len_utf8())..];
    }
    out
}

/// Bytes of the comment, string or character that `text` begins with; 0 for code.
fn skip_literal(text: &str, before: Option<char>) -> usize {
    let to = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    let hashes = text
        .strip_prefix('r')
        .map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    let inside_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if text.starts_with('r') && !inside_a_word && text[1 + hashes..].starts_with('"') {
        return to(&format!("\"{}", "#".repeat(hashes)), hashes + 2);
    }
    match text.as_bytes() {
        [b'"', ..] => string_end(text),
        [b'\'', b'\\', ..] => to("'", 3),
        // A lifetime has no second apostrophe.
        [b'\'', ..] if text.chars().nth(2) == Some('\'') => {
            to("'", 1 + text[1..].chars().next().map_or(0, char::len_utf8))
        }
        _ => 0,
    }
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '"' && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Everything `file` names that its part may not.
fn violations(file: &str, text: &str) -> Vec<String> {
    let part = MAY_USE
        .iter()
        .filter(|(part, _)| file.starts_with(&format!("{part}/")))
        .max_by_key(|(p, _)| p.len());
    let Some((part, allowed)) = part else { return Vec::new() };
    let names = names(text);
    let own = |path: &&str| part.starts_with("bin/") || path.split("::").next() == Some(part);
    let library = names.iter().filter_map(|name| {
        let inside = name.strip_prefix("crate::").filter(|_| !part.starts_with("bin/"));
        inside
            .filter(|path| !own(path))
            .or_else(|| name.strip_prefix("appctl::"))
    });
    let permitted = |path: &str| {
        allowed
            .iter()
            .any(|prefix| path == *prefix || path.starts_with(&format!("{prefix}::")))
    };
    let mut wrong: Vec<_> = library
        .filter(|path| !permitted(path))
        .map(|path| format!("{file} uses {path}"))
        .collect();
    if PURE.contains(part) {
        let effect = |name: &&String| {
            EFFECTS
                .iter()
                .any(|effect| format!("::{name}::").contains(&format!("::{effect}::")))
        };
        wrong.extend(
            names
                .iter()
                .filter(effect)
                .map(|name| format!("{file} is pure and names {name}")),
        );
    }
    wrong
}

#[test]
fn nothing_depends_against_the_direction() {
    let sources = sources();
    assert!(sources.contains_key("spec/mod.rs") && sources.contains_key("bin/appctl-shim/main.rs"));
    let wrong: Vec<_> = sources.iter().flat_map(|(file, text)| violations(file, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The only files that write to standard output, standard error or the terminal, and what they show is escaped. A journal
/// stream is asked for by its descriptor in the others of the shim.
const SINKS: [&str; 6] = [
    "bin/appctl/ui/sink.rs",
    "bin/appctl-generator/main.rs",
    "bin/appctl-generator/kmsg.rs",
    "bin/appctl-shim/log.rs",
    "bin/appctl-shim/journal.rs",
    "bin/appctl-shim/child.rs",
];

/// Ways around the sink.
fn prints(file: &str, text: &str) -> bool {
    if SINKS.contains(&file) {
        return false;
    }
    let macros = ["print!", "println!", "dbg!"];
    let streams = ["io::stdout", "io::stderr", "libc::write", "nix::unistd::write"];
    let around = |name: &String| {
        let stream = streams
            .iter()
            .any(|stream| name == stream || name.ends_with(&format!("::{stream}")));
        stream || name == "anstream" || (name.starts_with("anstream::") && !name.starts_with("anstream::adapter"))
    };
    let code = strip(text);
    macros.iter().any(|name| code.contains(name)) || names(text).iter().any(around)
}

#[test]
fn everything_that_is_shown_goes_through_a_sink() {
    let sources = sources();
    assert!(SINKS.iter().all(|sink| sources.contains_key(*sink)));
    let wrong: Vec<_> = sources
        .iter()
        .filter(|(file, text)| prints(file, text))
        .map(|(file, _)| file)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for text in [
        "fn f() { println!(\"{}\", x) }",
        "eprint!(\"x\")",
        "use std::io::{self, stdout};",
        "let mut out = std::io::stderr().lock();",
        "use std::io; fn f() { io::stdout(); }",
        "use anstream::eprintln as say;",
        "use anstream;",
    ] {
        assert!(prints("bin/appctl/x.rs", text), "{text}");
    }
    assert!(!prints(
        "bin/appctl/x.rs",
        "// println!\nui::print(\"print!\"); child.stdout.take()"
    ));
}

/// How often the code that drives rollouts has `what`, by file.
fn count(what: &str) -> BTreeMap<String, usize> {
    let code = |text: &str| strip(text).split_whitespace().collect::<String>();
    let drives = |file: &str| {
        let part = ["bin/appctl/", "drive/", "host/world/"];
        part.iter().any(|part| file.starts_with(part)) && !file.starts_with("drive/tests/")
    };
    let all = sources().into_iter().filter(|(file, _)| drives(file));
    let counts = all.map(|(file, text)| (file, code(&text).matches(what).count()));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn a_rollout_is_told_and_kept_at_one_place() {
    let once = |file: &str| BTreeMap::from([(file.to_owned(), 1)]);
    assert_eq!(count("rollout.step("), once("drive/driver.rs"));
    assert_eq!(count("world.save("), once("drive/driver.rs"));
    assert_eq!(count("record::write("), once("host/world/disk.rs"));
}

type Uses = BTreeMap<String, BTreeSet<String>>;

/// The modules of one folder, and what each of them uses below `prefix`.
fn uses(folder: &str, prefix: &str) -> Uses {
    let module = |name: String| name.strip_prefix(prefix)?.split("::").next().map(str::to_owned);
    let files = sources().into_iter().filter_map(|(file, text)| {
        let stem = file.strip_prefix(folder)?.strip_suffix(".rs")?.to_owned();
        let inside = !stem.contains('/') && stem != "mod";
        inside.then(|| (stem, names(&text).into_iter().filter_map(module).collect()))
    });
    files.collect()
}

/// Those that use each other in a circle, and those that use them: what is left when modules that use no other one are
/// taken away, again and again.
fn in_circles(mut left: Uses) -> BTreeSet<String> {
    loop {
        let all: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|module, uses| uses.iter().any(|used| used != module && all.contains(used)));
        if left.len() == all.len() {
            return all;
        }
    }
}

#[test]
fn the_modules_of_the_shim_and_of_its_machine_use_each_other_in_one_direction() {
    let shim = uses("bin/appctl-shim/", "crate::");
    let machine = uses("bin/appctl-shim/machine/", "super::");
    assert!(shim["run"].contains("machine") && machine["starting"].contains("stopping"));
    assert_eq!(in_circles(shim), BTreeSet::new());
    assert_eq!(in_circles(machine), BTreeSet::new());
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let circle = [
        ("a", set(&["b"])),
        ("b", set(&["c"])),
        ("c", set(&["a"])),
        ("d", set(&[])),
    ];
    let circle = circle.map(|(module, uses)| (module.to_owned(), uses));
    assert_eq!(in_circles(BTreeMap::from(circle)), set(&["a", "b", "c"]));
}

/// The table of docs/architecture.md: its rows of three cells that begin with a folder of `src`.
fn documented(page: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| [`src/"));
    let rows = rows.filter(|row| row.matches('|').count() == 3);
    rows.filter_map(|row| {
        let (part, _) = row.split_once('`')?;
        let uses = row.rsplit('|').nth(1)?;
        Some((part, uses.split('`').skip(1).step_by(2).collect()))
    })
    .collect()
}

#[test]
fn the_architecture_page_has_the_same_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(path).expect("the page is there");
    let enforced = MAY_USE.map(|(part, uses)| (part, uses.iter().copied().collect()));
    assert_eq!(
        documented(&page),
        BTreeMap::from(enforced),
        "left: the page, right: this file"
    );
}

#[test]
fn every_source_file_belongs_to_a_part() {
    let outside = ["lib.rs"];
    for file in sources().keys().filter(|file| !outside.contains(&file.as_str())) {
        assert!(
            MAY_USE.iter().any(|(part, _)| file.starts_with(&format!("{part}/"))),
            "{file}"
        );
    }
}

#[test]
fn the_checker_finds_what_it_is_for() {
    for (file, text) in [
        ("contract/x.rs", "use crate::observe::maps;"),
        ("spec/x.rs", "use crate::unit::render;"),
        ("unit/x.rs", "use crate::{spec, release};"),
        ("unit/x.rs", "fn f() { crate::host::go() }"),
        (
            "observe/x.rs",
            "use crate::spec::AppName;\nuse crate::{\n    rollout::{\n        Step,\n    },\n};",
        ),
        ("host/x.rs", "use appctl::bin;"),
        ("drive/x.rs", "use crate::host::bus::Systemd;"),
        ("drive/x.rs", "let now = jiff::Timestamp::now();"),
        ("drive/x.rs", "use tokio::time::sleep;"),
        ("rollout/x.rs", "use crate::drive::World;"),
        ("bin/appctl-generator/x.rs", "use appctl::{spec, host};"),
        ("bin/appctl-shim/x.rs", "use appctl::spec::AppSpec;"),
        ("bin/appctl-shim/x.rs", "use appctl::spec::{AppName, parse};"),
        ("bin/appctl-shim/x.rs", "use appctl::spec;"),
        ("spec/x.rs", "use std::{fmt, fs};"),
        ("unit/x.rs", "let x = std::fs::read(p);"),
        ("rollout/x.rs", "let now = Instant::now();"),
        ("rollout/x.rs", "let now = std::time::SystemTime::now();"),
        ("observe/x.rs", "use std::net::{IpAddr, TcpStream};"),
        ("release/x.rs", "use tokio::fs;"),
        ("release/x.rs", r##"let u = ("\"", '"', r#"""#); zbus::go();"##),
        ("unit/x.rs", "match x { _ =>\ncrate::host::go() }"),
    ] {
        assert_eq!(violations(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn the_checker_leaves_the_rest_alone() {
    for (file, text) in [
        (
            "spec/x.rs",
            "//! Not std::fs, not crate::unit.\nuse std::net::IpAddr;\nuse crate::spec::AppName;",
        ),
        (
            "unit/x.rs",
            "use crate::spec::{AppSpec, Listen}; const TOKIO: &str = \"tokio std::process\";",
        ),
        (
            "host/x.rs",
            "use std::fs; use crate::contract::ShimStatus; use zbus::Connection;",
        ),
        (
            "bin/appctl-shim/x.rs",
            "use appctl::contract::{ShimState, ShimStatus}; use appctl::spec::{AppName, Instance}; use crate::host;",
        ),
        ("bin/appctl/x.rs", "use appctl::{host, rollout}; use crate::ui;"),
        (
            "rollout/x.rs",
            "fn step(now: Instant, unix: u64) -> std::time::Duration { phoenix(now) }",
        ),
    ] {
        assert_eq!(violations(file, text), [""; 0], "{file}: {text}");
    }
}
