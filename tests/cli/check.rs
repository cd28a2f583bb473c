//! `appctl check`.

use crate::test::Test;
use snapbox::str;

#[test]
fn a_good_file_is_summed_up() {
    Test::new()
        .file(
            "web.toml",
            "exec = \"node server.js\"\nlisten = [3000, \"/run/web.sock\"]\ninstances = 2\n",
        )
        .args("check web.toml")
        .exits(0)
        .stdout_eq(str![[r#"
web.toml: ok, 2 instances of node server.js, listens on 3000 /run/web.sock

"#]]);
}

#[test]
fn all_problems_of_all_files_are_shown_at_their_places() {
    Test::new()
        .file("web.toml", "exec = \"node server.js\"\nlistn = 3000\ninstances = 0\n")
        .file("api.toml", "exec = 7\n")
        .args("check web.toml api.toml")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: unknown key `listn`
 --> web.toml:2:1
  |
2 | listn = 3000
  | ^^^^^
  |
  = help: did you mean `listen`?

error: `instances` must be a number from 1 to 512, "max" or "max-1", not 0
 --> web.toml:3:13
  |
3 | instances = 0
  |             ^

error: `exec` must be a command such as "node server.js" or ["node", "server.js"], not a number
 --> api.toml:1:8
  |
1 | exec = 7
  |        ^

error: 3 problems in the configuration

"#]]);
}

#[test]
fn a_syntax_error_has_a_place_too() {
    Test::new()
        .file("web.toml", "exec = \"node\n")
        .args("check web.toml")
        .exits(3)
        .stderr_eq(str![[r#"
error: this string is not closed on its line
 --> web.toml:1:13
  |
1 | exec = "node
  |             ^

error: 1 problem in the configuration

"#]]);
}

#[test]
fn problems_are_objects_in_json() {
    Test::new()
        .file("web.toml", "listn = 3000\nexec = 'x'\n")
        .args("check web.toml --json")
        .exits(3)
        .stdout_eq(str![[r#"
{"error":{"causes":[],"exit_code":3,"help":null,"last_lines":[],"message":"1 problem in the configuration","problems":[{"column":1,"file":"web.toml","help":"did you mean `listen`?","line":1,"message":"unknown key `listn`"}]}}

"#]]);
}

#[test]
fn two_apps_cannot_hold_one_address() {
    Test::new()
        .file("web.toml", "exec = 'x'\nlisten = '127.0.0.1:3000'\n")
        .wanted("api", "exec = 'y'\nlisten = 3000\n")
        .args("check web.toml")
        .exits(3)
        .stderr_eq(str![[r#"
error: web cannot listen on 127.0.0.1:3000: api listens on 3000
  help: give web another address: --listen, or listen = … in its file

"#]]);
}

#[test]
fn the_file_names_the_app() {
    Test::new()
        .file("My App.toml", "exec = 'x'\n")
        .args("check")
        .arg("My App.toml")
        .exits(3)
        .stderr_eq(str![[r#"
error: My App.toml does not name an app: a name must begin with a lower-case letter or a digit, not 'M'
  help: the file of an app is called NAME.toml

"#]]);
}

#[test]
fn a_link_or_a_missing_file_is_not_read() {
    let test = Test::new().file("real.toml", "exec = 'x'\n").args("check link.toml");
    std::os::unix::fs::symlink("real.toml", test.path("link.toml")).expect("a link");
    test.exits(3).stderr_eq(str![[r#"
error: link.toml is not a regular file (links are not followed)
  help: name a regular file that this account may read

"#]]);
    Test::new().args("check gone.toml").exits(3).stderr_eq(str![[r#"
error: cannot read gone.toml: No such file or directory (os error 2)
  help: name a regular file that this account may read

"#]]);
}
