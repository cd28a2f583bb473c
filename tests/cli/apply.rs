//! `appctl apply`, as far as it can be told without changing anything.

use crate::test::Test;
use snapbox::str;

const OLD: &str = "exec = 'node x.js'\ninstances = 2\nlisten = 3000\n";

fn apply(new: &str) -> Test {
    Test::new()
        .wanted("web", new)
        .applied("web", OLD)
        .args("apply --dry-run")
}

#[test]
fn nothing_changed_is_nothing_to_do() {
    Test::new()
        .wanted("web", OLD)
        .applied("web", OLD)
        .args("apply")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
web: nothing to do

"#]]);
}

#[test]
fn the_diff_is_that_of_the_units() {
    apply(&OLD.replace("= 2", "= 3"))
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
web: the number of instances changes
  web.service
    + Wants=web@3.service

"#]]);
    apply(&OLD.replace("3000", "3001"))
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
web: the addresses change: the port closes for a moment, and all instances restart
  web.socket
    - ListenStream=3000
    + ListenStream=3001

"#]]);
}

#[test]
fn a_change_of_the_app_replaces_instances() {
    let output = apply(&OLD.replace("x.js", "y.js")).exits_and_changes_nothing(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        said.starts_with("web: instances are replaced one after the other\n  web@.service\n    - "),
        "{said}"
    );
}

#[test]
fn what_is_opened_is_tried_as_if_it_stood_in_the_file() {
    let apply = |options: &str| {
        let test = Test::new().wanted("web", OLD).applied("web", OLD);
        test.args(&format!("apply --dry-run {options}"))
    };
    apply("web --allow tmp --write /srv/a")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
web: instances are replaced one after the other
  web@.service
    + ReadWritePaths="-/srv/a"

"#]]);
    apply("--allow tmp").exits_and_changes_nothing(2);
    apply("web --write a").exits_and_changes_nothing(2);
    apply("web --allow resources").exits_and_changes_nothing(3);
}

#[test]
fn problems_of_one_app_stop_all() {
    Test::new()
        .wanted("api", "exec = 'x'\n")
        .wanted("web", "exc = 'x'\n")
        .args("apply")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: unknown key `exc`
 --> [TREE]/root/etc/appctl/apps/web.toml:1:1
  |
1 | exc = 'x'
  | ^^^
  |
  = help: did you mean `exec`?

error: 1 problem in the configuration

"#]]);
}

#[test]
fn an_app_whose_file_is_gone_is_pointed_out() {
    Test::new()
        .applied("web", OLD)
        .args("apply")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
note: the file of web is gone, but the app is still installed; to remove it: sudo appctl uninstall web

"#]]);
}
