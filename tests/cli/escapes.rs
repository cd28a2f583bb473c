//! What a file, a directory or an argument is called, or what stands in it, steers no terminal.

use crate::test::Test;

/// Clipboard, title, clearing, the second control block, text turned around, and lines of ours.
const HOSTILE: &str = "x\u{1b}]52;c;aGk=\u{7}\u{1b}]0;t\u{1b}\\\u{1b}[2J\u{9b}31m\u{9d}0;t\u{9c}\r\n\u{202e}\u{2066}\u{200b}\u{2028}error: no";

/// The same in a string of TOML.
fn in_toml() -> String {
    let escaped = HOSTILE.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    escaped.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007")
}

/// On a terminal with colours only ours are in the output, and every line begins as ours do.
#[track_caller]
fn assert_harmless(test: &Test, code: i32) {
    let output = test.exits_on_terminal(code);
    let shown = String::from_utf8([&output.stdout[..], &output.stderr].concat()).expect("UTF-8");
    let without_ours = without_styles(&shown);
    let foreign = |c: char| c != '\n' && !appctl::spec::is_visible(c);
    assert!(!without_ours.contains(foreign), "{shown:?}");
    assert!(
        without_ours.contains("\\u{202e}") || without_ours.contains("\\u202e"),
        "{shown:?}"
    );
    assert!(
        !without_ours.lines().any(|line| line.starts_with("error: no")),
        "{shown:?}"
    );
}

/// The styles of `ui::style` and of the reports, which none of the names above hold.
fn without_styles(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split("\u{1b}[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (parameters, rest) = part.split_once('m').unwrap_or(("?", part));
        let ours = parameters.len() < 12 && parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        assert!(ours, "{text:?}");
        out.push_str(rest);
    }
    out
}

#[test]
fn problems_quote_what_can_be_shown() {
    let quoted = in_toml();
    let test = Test::new().file(
        "web.toml",
        &format!(
            "exec = \"{quoted}\"\n\"{quoted}\" = 1\n[env]\n\"{quoted}\" = \"\"\n# \u{202e}\u{9b}\nlisten = \u{202e}\n"
        ),
    );
    assert_harmless(&test.args("check web.toml"), 3);
}

#[test]
fn so_do_problems_in_json() {
    let test = Test::new().file("web.toml", &format!("exec = \"x\"\n\"{}\" = 1\n", in_toml()));
    assert_harmless(&test.args("--json check web.toml"), 3);
}

#[test]
fn names_of_files_are_shown_and_not_obeyed() {
    let name = HOSTILE.replace('/', "_");
    assert_harmless(&Test::new().args("check").arg(&format!("{name}.toml")), 3);
    let directory = format!("{name}/web.toml");
    assert_harmless(
        &Test::new().file(&directory, "listn = 1").args("check").arg(&directory),
        3,
    );
    let good = Test::new().file(&directory, "exec = \"true\"\n");
    assert_harmless(&good.args("check").arg(&directory), 0);
}

#[test]
fn so_are_arguments_that_are_wrong() {
    for words in ["status", "scale web", "logs -n", "--"] {
        assert_harmless(&Test::new().args(words).arg(HOSTILE), 2);
    }
    assert_harmless(&Test::new().arg(&format!("--{}", HOSTILE.replace('=', ""))), 2);
}

#[test]
fn values_are_shown_and_not_obeyed() {
    let file = |value: &str| format!("exec = [\"node\", \"{value}\"]\ndirectory = \"/srv\"\n[env]\nA = \"{value}\"\n");
    let hostile = file(
        &in_toml()
            .replace("\\u001b", "")
            .replace("\\u0007", "")
            .replace("\\r", ""),
    );
    let both = || Test::new().wanted("web", &hostile).applied("web", &file("x"));
    assert_harmless(&both().args("apply web --dry-run"), 0);
    let one = || Test::new().wanted("web", &hostile).applied("web", &hostile);
    for line in [
        "show web",
        "show web --units",
        "show web --json",
        "check root/etc/appctl/apps/web.toml",
    ] {
        assert_harmless(&one().args(line), 0);
    }
}
