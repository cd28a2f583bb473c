//! What the documents name exists: files and headings that are linked to, the definition that a link to a source file
//! names, paths of the tree, and targets of the Makefile.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A code span that begins with one of these is a path of the tree.
const FOLDERS: [&str; 7] = [".ci", "docs", "fuzz", "packaging", "src", "tests", "units"];
/// What introduces a name, in Rust and in JavaScript.
const KEYWORDS: [&str; 11] = [
    "fn",
    "struct",
    "enum",
    "const",
    "static",
    "trait",
    "type",
    "mod",
    "macro_rules",
    "class",
    "function",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents, as paths from the root.
fn documents() -> Vec<String> {
    let mut found = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(str::to_owned)
        .to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("docs") {
        let name = entry.expect("readable").file_name().into_string().expect("text");
        if has_extension(&name, &["md"]) {
            found.push(format!("docs/{name}"));
        }
    }
    found
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(path).extension();
    extensions.iter().any(|one| extension.is_some_and(|own| own == *one))
}

/// A document, taken apart.
#[derive(Default)]
struct Parts {
    prose: String,
    /// Lines between fences.
    code: Vec<String>,
}

fn parts(text: &str) -> Parts {
    let mut parts = Parts::default();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            parts.code.push(line.to_owned());
        } else {
            parts.prose.push_str(line);
            parts.prose.push('\n');
        }
    }
    parts
}

/// What stands between backticks, on one line.
fn spans(prose: &str) -> impl Iterator<Item = String> {
    let inside = prose.split('`').skip(1).step_by(2);
    inside.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text and target of every `[text](target)`.
fn links(prose: &str) -> impl Iterator<Item = (&str, &str)> {
    prose.match_indices("](").map(|(at, _)| {
        let text = prose[..at].rfind('[').map_or("", |begin| &prose[begin + 1..at]);
        let target = prose[at + 2..].split(')').next().unwrap_or_default();
        (text, target)
    })
}

/// Everything that `document` names and that is not there.
fn problems(document: &str, text: &str) -> Vec<String> {
    let parts = parts(text);
    let mut found: Vec<String> = Vec::new();
    if !parts.prose.matches('`').count().is_multiple_of(2) {
        found.push("a backtick too few".to_owned());
    }
    let links: Vec<(&str, &str)> = links(&parts.prose).collect();
    found.extend(
        links
            .iter()
            .filter_map(|(text, target)| broken_link(document, text, target)),
    );
    let spans: Vec<String> = spans(&parts.prose).collect();
    let linked = |span: &&String| links.iter().any(|(text, _)| text.trim_matches('`') == **span);
    found.extend(
        spans
            .iter()
            .filter(|span| !linked(span))
            .filter_map(|span| broken_path(span)),
    );
    let known = make_targets(&read(&root().join("Makefile")));
    let wanted = spans.iter().chain(&parts.code).flat_map(|line| asked_of_make(line));
    found.extend(
        wanted
            .filter(|name| !known.contains(name))
            .map(|name| format!("make {name}")),
    );
    found
        .into_iter()
        .map(|problem| format!("{document}: {problem}"))
        .collect()
}

fn broken_link(document: &str, text: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let own = root().join(document);
    let path = if file.is_empty() { own } else { own.parent()?.join(file) };
    if !path.exists() {
        return Some(format!("a link to {target}"));
    }
    if !heading.is_empty() && !headings(&read(&path)).contains(heading) {
        return Some(format!("a link to the heading {target}"));
    }
    let name = text.strip_prefix('`')?.strip_suffix('`')?;
    (!fits(name, &path)).then(|| format!("{name} is not in {file}"))
}

/// Whether a link by this name may lead to this file: it is the end of its path, a folder that it is in, or defined in it.
fn fits(name: &str, path: &Path) -> bool {
    if name.contains('/') || path.file_name().is_some_and(|file| file == name) {
        let folder = root().join(name).canonicalize();
        let inside = folder.is_ok_and(|folder| path.canonicalize().is_ok_and(|path| path.starts_with(folder)));
        return inside || path.ends_with(name);
    }
    let source = path.to_str().is_some_and(|path| has_extension(path, &["rs", "cjs"]));
    let name = name.trim_end_matches("()");
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    !source || defines(&read(path), last)
}

/// Whether the source defines the name: after a keyword, or at the beginning of a line as variants of an enum and methods
/// of a class are.
fn defines(source: &str, name: &str) -> bool {
    source.lines().any(|line| {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let introduced = words
            .windows(2)
            .any(|pair| pair[1] == name && KEYWORDS.contains(&pair[0]));
        let rest = line.trim_start().strip_prefix(name);
        introduced || rest.is_some_and(|rest| rest.starts_with(['(', ',']) || rest.starts_with(" {"))
    })
}

/// As GitHub makes anchors of headings.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |title: &str| {
        let kept = title.trim_start_matches('#').trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    titles.map(anchor).collect()
}

fn broken_path(span: &str) -> Option<String> {
    let folder = span.split('/').next().unwrap_or_default();
    let path = span.contains('/') && FOLDERS.contains(&folder);
    let file = !span.contains([' ', '*']) && has_extension(span, &["rs", "md"]);
    let exists = root().join(up_to_pattern(span)).exists();
    ((path || file) && !span.contains(' ') && !exists).then(|| format!("the path {span}"))
}

/// The part of a path before a name to be filled in.
fn up_to_pattern(path: &str) -> PathBuf {
    let capitals = |stem: &str| stem.len() > 1 && stem.chars().all(|c| c.is_ascii_uppercase());
    let variable = |part: &str| part.contains(['*', '<']) || part.split('.').next().is_some_and(capitals);
    path.split('/').take_while(|part| !variable(part)).collect()
}

fn make_targets(makefile: &str) -> BTreeSet<String> {
    let rules = makefile.lines().filter_map(|line| line.split_once(':'));
    let rules = rules.filter(|(names, rest)| !names.starts_with(['\t', '#', '.', ' ']) && !rest.starts_with('='));
    rules
        .flat_map(|(names, _)| names.split_whitespace())
        .map(str::to_owned)
        .collect()
}

/// The targets that a command line gives to make. What it does may stand behind it, after two blanks.
fn asked_of_make(line: &str) -> Vec<String> {
    let command = line
        .trim()
        .trim_start_matches(['$', '#', ' '])
        .split("  ")
        .next()
        .unwrap_or_default();
    let mut words = command
        .split_whitespace()
        .filter(|word| *word != "sudo" && !word.contains('='));
    if words.next() != Some("make") {
        return Vec::new();
    }
    words.take_while(|word| *word != "#").map(str::to_owned).collect()
}

#[test]
fn what_the_documents_name_exists() {
    let documents = documents();
    assert!(documents.contains(&"docs/architecture.md".to_owned()));
    let wrong: Vec<String> = documents
        .iter()
        .flat_map(|document| problems(document, &read(&root().join(document))))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_checker_finds_what_it_is_for() {
    for text in [
        "[x](missing.md)",
        "[x](../README.md#no-such-heading)",
        "[x](#no-such-heading)",
        "[`Machine::fly`](../src/bin/appctl-shim/machine/mod.rs)",
        "[`machine/other.rs`](../src/bin/appctl-shim/machine/mod.rs)",
        "[`fly`](../src/node/drain.cjs)",
        "`src/missing/`",
        "`tests/missing/NAME.rs`",
        "`mod.rs`",
        "`make hay`",
        "```console\n# make hay   while the sun shines\n```",
        "```console\n$ sudo SEED=1 make lint hay\n```",
        "an odd ` backtick",
    ] {
        assert_eq!(problems("docs/x.md", text).len(), 1, "{text}");
    }
}

#[test]
fn the_checker_leaves_the_rest_alone() {
    for text in [
        "[x](../README.md#60-seconds) [y](https://example.org/missing.md)",
        "[`Machine::step`](../src/bin/appctl-shim/machine/mod.rs), [`machine/mod.rs`](../src/bin/appctl-shim/machine/mod.rs)",
        "[`Event::Terminate`](../src/bin/appctl-shim/machine/event.rs), [`Drain.start()`](../src/node/drain.cjs)",
        "`src/spec/`, `tests/generator/*/etc`, `tests/lab/tests/NAME.rs`, `/etc/appctl/apps/myapp.toml`, `spec::parse`",
        "`make lint`, `make`, `make lab-shell DEBIAN=13`, makes hay",
        "```console\n# make demo     a box of hay\n$ cargo test --test docs\n```",
    ] {
        assert_eq!(problems("docs/x.md", text), [""; 0], "{text}");
    }
}
