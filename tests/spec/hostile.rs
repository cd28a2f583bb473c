//! Files that want to cost time, memory or the stack.

use appctl::spec::{Problem, parse};

use super::{name, report};

/// Reads a text of about a megabyte, for which quadratic time would be hours.
fn quickly(text: &str) -> Vec<Problem> {
    let problems = parse(&name("x"), text).err().unwrap_or_default();
    let shown = report::render("x.toml", text, &problems, false);
    assert!(
        problems.len() <= Problem::MOST && shown.len() < 1 << 20,
        "{} bytes",
        shown.len()
    );
    problems
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_hundred_thousand_variables_are_an_app() {
    let text = format!("exec = 'x'\n[env]\n{}", lines(100_000, |n| format!("V{n} = '{n}'")));
    let spec = parse(&name("x"), &text).expect("is right");
    assert_eq!(spec.env.len(), 100_000);
    assert_eq!(spec.env[99_999], ("V99999".to_owned(), "99999".to_owned()));
    quickly(&text);
}

#[test]
fn deep_nesting_is_a_problem_and_no_overflow() {
    assert!(!quickly(&format!("exec = {}", "[".repeat(500_000))).is_empty());
    assert!(!quickly(&format!("exec = {}", "{a=".repeat(300_000))).is_empty());
    assert!(!quickly(&format!("{} = 1", "a.".repeat(100_000) + "a")).is_empty());
    assert!(!quickly(&format!("[{}]", "a.".repeat(100_000) + "a")).is_empty());
}

#[test]
fn mistakes_without_end_are_counted_and_not_shown() {
    let unknown = lines(60_000, |n| format!("key{n} = 1"));
    for text in [
        unknown,
        "x = ]\n".repeat(100_000),
        "]".repeat(1 << 20),
        "= ".repeat(1 << 19),
        "\"".repeat(1 << 20),
    ] {
        assert!(!quickly(&text).is_empty());
    }
}

#[test]
fn command_lines_without_end_are_read_once() {
    for part in ["| ", "$a ", "${", "~ ", "A=1 ", "'a' ", "\\\\ ", "# "] {
        assert!(
            !quickly(&format!("exec = '''x {}'''", part.repeat((1 << 20) / part.len()))).is_empty(),
            "{part}"
        );
    }
}

#[test]
fn lists_without_end_are_read_once() {
    assert!(!quickly(&format!("exec = 'x'\nlisten = [{}]", "1, ".repeat(300_000))).is_empty());
    let ports = lines(65_535, |n| format!("{},", n + 1));
    assert!(!quickly(&format!("exec = 'x'\nlisten = [{ports}]")).is_empty());
    assert!(!quickly(&format!("exec = [{}]", "'a', ".repeat(200_000))).is_empty());
    assert!(!quickly(&format!("exec = 'x'\ninstances = {}", "9".repeat(1 << 20))).is_empty());
    assert!(!quickly(&format!("exec = 'x'\n[stop]\ntimeout = '{}'", "1s".repeat(1 << 19))).is_empty());
}
