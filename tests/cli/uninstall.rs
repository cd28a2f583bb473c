//! `appctl uninstall`, as far as it can be told without changing anything.

use crate::test::Test;
use snapbox::str;

#[test]
fn says_what_would_go_and_what_stays() {
    let test = || {
        Test::new()
            .wanted("web", "exec = 'x'\n")
            .file("root/var/lib/appctl/web/data/db", "x")
    };
    test()
        .args("uninstall web --dry-run")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
would uninstall web; [TREE]/root/var/lib/appctl/web is kept: sudo appctl uninstall web --purge removes it

"#]]);
    test()
        .args("uninstall web --dry-run --purge")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
would uninstall web with [TREE]/root/var/lib/appctl/web

"#]]);
}

#[test]
fn what_an_app_left_goes_later_too() {
    let test = || Test::new().file("root/var/lib/appctl/web/data/db", "x");
    test()
        .args("uninstall web --dry-run --purge")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
would uninstall web with [TREE]/root/var/lib/appctl/web

"#]]);
    test().args("uninstall web --dry-run").exits_and_changes_nothing(5);
    test()
        .args("uninstall other --dry-run --purge")
        .exits_and_changes_nothing(5);
}

#[test]
fn data_is_not_removed_without_a_word() {
    Test::new()
        .wanted("web", "exec = 'x'\n")
        .args("uninstall web --purge")
        .exits_and_changes_nothing(2)
        .stderr_eq(str![[r#"
error: --purge would remove the releases and data of web
  help: to confirm, add --yes

"#]]);
}
