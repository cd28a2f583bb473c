//! `appctl status` and `appctl logs`, where no systemd is asked.

use crate::test::Test;
use snapbox::str;

#[test]
fn no_app_is_no_error() {
    Test::new().args("status").exits(0).stdout_eq(str![[r#"
no app is installed; in an app's directory, type: sudo appctl install NAME

"#]]);
    Test::new().args("ls --json").exits(0).stdout_eq(str![[r#"
{"apps":[]}

"#]]);
    Test::new().args("logs").exits(0).stdout_eq("");
}

#[test]
fn an_app_that_is_named_must_exist() {
    Test::new().args("status web").exits(5).stderr_eq(str![[r#"
error: no app is called web
  help: no app is installed yet; in its directory, type: sudo appctl install web

"#]]);
    Test::new()
        .wanted("api", "exec = 'x'\n")
        .args("logs web")
        .exits(5)
        .stderr_eq(str![[r#"
error: no app is called web
  help: installed: api

"#]]);
}
