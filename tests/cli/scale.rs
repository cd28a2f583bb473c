//! `appctl scale`.

use crate::test::Test;
use snapbox::str;

const TWO: &str = "exec = 'x'\ninstances = 2 # why\n";

fn scale(to: &str) -> Test {
    Test::new()
        .wanted("web", TWO)
        .applied("web", TWO)
        .args("scale web")
        .arg(to)
}

#[test]
fn numbers_may_be_relative() {
    scale("+2")
        .args("--dry-run")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
web: would scale from 2 to 4 instances

"#]]);
    scale("-1")
        .args("--dry-run --json")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
{"app":"web","from":2,"result":"would scale","to":1}

"#]]);
}

#[test]
fn the_same_number_is_nothing_to_do() {
    scale("2").exits_and_changes_nothing(0).stdout_eq(str![[r#"
web: 2 instances, nothing to do

"#]]);
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    for to in ["0", "-2", "513", "+600", "x", "+", "1.5"] {
        scale(to).exits_and_changes_nothing(2);
    }
    scale("-2").exits(2).stderr_eq(str![[r#"
error: 0 instances are not possible, only 1 to 512
  help: appctl stop NAME stops all of them

"#]]);
}

#[test]
fn an_unknown_app_is_named() {
    Test::new()
        .wanted("web", TWO)
        .args("scale wbe 3")
        .exits(5)
        .stderr_eq(str![[r#"
error: no app is called wbe
  help: installed: web

"#]]);
}

#[test]
fn changes_that_are_not_in_force_come_first() {
    Test::new()
        .wanted("web", TWO)
        .applied("web", "exec = 'y'\n")
        .args("scale web 3")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: the file of web has changes that are not in force
  help: first type: sudo appctl apply web

"#]]);
}
