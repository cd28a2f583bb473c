//! `appctl show`.

use crate::test::Test;
use snapbox::str;

#[test]
fn shows_where_everything_is() {
    Test::new()
        .wanted(
            "my-app",
            "exec = 'node x.js'\ninstances = 2\nlisten = 3000\nuser = 'work'\n",
        )
        .args("show my-app")
        .exits(0)
        .stdout_eq(str![[r#"
my-app
  exec           node x.js
  instances      2
  user           work
  listen         3000
  adapter        node
  ready timeout  1min
  settle         1s 500ms
  stop timeout   30s
  linger         2s
  streams        close
  sandbox        standard
paths
  file           [TREE]/root/etc/appctl/apps/my-app.toml
  applied        [TREE]/root/etc/appctl/applied/my-app.toml
  releases       [TREE]/root/var/lib/appctl/my-app/releases
  current        [TREE]/root/var/lib/appctl/my-app/current
  data           [TREE]/root/var/lib/appctl/my-app/data
units
                 /run/systemd/generator/my-app.socket
                 /run/systemd/generator/my-app.hold.service
                 /run/systemd/generator/my-app.service
                 /run/systemd/generator/my-app@.service
                 /run/systemd/generator/my-app.retry@.service
                 /run/systemd/generator/appctl-my/x2dapp.slice
see also
                 systemctl status my-app 'my-app@*'
                 journalctl -u 'my-app@*'
                 systemctl cat my-app@1
                 sudo systemctl edit my-app@
its file has changes that are not in force; type: sudo appctl apply my-app

"#]]);
}

#[test]
fn shows_the_units_themselves() {
    let output = Test::new()
        .wanted("web", "exec = 'x'\n")
        .args("show web --units")
        .exits(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for part in ["# web.service\n", "# web@.service\n", "[Service]\n", "SourcePath="] {
        assert!(said.contains(part), "{part}");
    }
}

#[test]
fn a_broken_file_is_shown_with_its_problems() {
    Test::new().wanted("web", "exc = 'x'\n").args("show web").exits(3);
    Test::new().args("show web").exits(5).stderr_eq(str![[r#"
error: no app is called web
  help: no app is installed yet; in its directory, type: sudo appctl install web

"#]]);
}
