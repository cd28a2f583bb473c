//! `appctl install`: what runs, and everything that is refused before the first change.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::test::Test;
use snapbox::str;

const SERVER: &str = "require('http').createServer((_, r) => r.end('hi')).listen(3000)\n";

fn port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Runs `sh` so that the tests need no Node.
fn install() -> Test {
    Test::new().file("app/server.js", SERVER).args("install myapp app")
}

#[test]
fn a_dry_run_shows_everything_and_does_nothing() {
    install()
        .args("--dry-run --listen 31999 -i 4 --env A=1 -- sh run.sh")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r#"
would install myapp: sh run.sh (from --)
  copy   [TREE]/app to [TREE]/root/var/lib/appctl/myapp/releases
  write  [TREE]/root/etc/appctl/apps/myapp.toml
  start  4 instances as an account of its own

#:schema /usr/share/appctl/appctl.schema.json
# One app of appctl. `appctl check` checks this file, `appctl apply` puts a change in force.

# What to run, without a shell.
exec = "sh run.sh"

# How many instances: a number, "max" (one for each processor) or "max-1".
instances = 4

# Held by systemd, so that it stays open while instances come and go.
listen = 31999

# The app runs as an account of its own; to name another: user = "..."

# Variables of the app.
[env]
A = "1"

"#]]);
}

#[test]
fn a_ready_path_becomes_a_table() {
    let test = install().args("--dry-run --json --listen 31998 --ready /health?x=1 -- sh run.sh");
    let output = test.exits(3);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("adapter"));
}

#[test]
fn a_procfile_is_run_without_a_shell() {
    Test::new()
        .file("app/Procfile", "web: A=1 sh serve $PORT\nworker: x\n")
        .args("install myapp app --dry-run --env PORT=31997 --json")
        .exits_and_changes_nothing(0)
        .stdout_eq(str![[r##"
{"app":"myapp","directory":"[TREE]/app","exec":["sh","serve","31997"],"file":"[TREE]/root/etc/appctl/apps/myapp.toml","notes":[],"toml":"#:schema /usr/share/appctl/appctl.schema.json/n# One app of appctl. `appctl check` checks this file, `appctl apply` puts a change in force./n/n# What to run, without a shell./nexec = /"sh serve 31997/"/n/n# How many instances: a number, /"max/" (one for each processor) or /"max-1/"./ninstances = 1/n/n# Held by systemd, so that it stays open while instances come and go./nlisten = 31997/n/n# The app runs as an account of its own; to name another: user = /".../"/n/n# Variables of the app./n[env]/nA = /"1/"/nPORT = /"31997/"/n"}

"##]]);
    Test::new()
        .file("app/Procfile", "web: sh serve && true\n")
        .args("install myapp app --dry-run")
        .exits(3)
        .stderr_eq(str![[r#"
error: the web: line of Procfile cannot be run: `&&` works only in a shell, and no shell runs this
  help: set what to run with --exec, and variables with --env

"#]]);
}

#[test]
fn the_directory_must_be_one_with_something_in_it() {
    Test::new()
        .args("install myapp nowhere --dry-run")
        .exits(3)
        .stderr_eq(str![[r#"
error: nowhere cannot be opened: No such file or directory (os error 2)
  help: name the app's directory

"#]]);
    Test::new()
        .args("install myapp app --dry-run")
        .exits(3)
        .stderr_eq(str![[r#"
error: [TREE]/app is empty
  help: name the app's directory, or set what to run: --exec "node main.js"

"#]]);
    Test::new()
        .file("file", "")
        .args("install myapp file --dry-run")
        .exits(3)
        .stderr_eq(str![[r#"
error: file is not a directory
  help: name the app's directory

"#]]);
    Test::new()
        .file("app/readme", "")
        .args("install myapp app --dry-run")
        .exits(3)
        .stderr_eq(str![[r#"
error: [TREE]/app has no Procfile, package.json, index.js, server.js or app.js
  help: name the app's directory, or set what to run: --exec "node main.js"

"#]]);
    Test::new()
        .file("app/package.json", "{\n  \"scripts\": 7\n}")
        .args("install myapp app --dry-run")
        .exits(3)
        .stderr_eq(str![[r#"
error: [TREE]/app/package.json:2:14: invalid type: integer `7`, expected a map at line 2 column 14
  help: correct it, or set what to run with --exec

"#]]);
}

#[test]
fn a_program_must_be_where_systemd_looks() {
    install()
        .args("--dry-run --exec")
        .arg("no-such-program x")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: there is no program "no-such-program" in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  help: install no-such-program, or write the absolute path of the program with --exec

"#]]);
    install().args("--dry-run -- ./run.sh").exits(3).stderr_eq(str![[r#"
error: [TREE]/app/./run.sh cannot be run: it does not exist
  help: set what to run with --exec, or make the file executable with chmod +x

"#]]);
}

#[test]
fn a_program_that_only_the_shell_knows_is_explained() {
    let test = install()
        .file("bin/only-here", "#!/bin/sh\n")
        .args("--dry-run --exec only-here");
    let program = test.path("bin/only-here");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let output = std::process::Command::new(snapbox::cmd::cargo_bin!("appctl"))
        .args(["install", "myapp", "app", "--dry-run", "--exec", "only-here"])
        .current_dir(test.path("."))
        .env("APPCTL_ROOT", test.path("root"))
        .env("PATH", test.path("bin"))
        .output()
        .expect("a run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("only your shell finds") && said.contains("bin/only-here"),
        "{said}"
    );
}

#[test]
fn a_port_in_use_names_its_holder() {
    let (_held, port) = port();
    let output = install()
        .args(&format!("--dry-run --listen 127.0.0.1:{port} -- sh x"))
        .exits_and_changes_nothing(3);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains(&format!("port {port} is in use by ")), "{said}");
    assert!(said.contains(&format!("(pid {})", std::process::id())), "{said}");
}

#[test]
fn a_low_port_is_no_reason_for_root() {
    let output = install().args("--dry-run --listen 127.0.0.1:1019 -- sh x").exits(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        said.contains("systemd binds port 1019, so the app itself needs no privilege"),
        "{said}"
    );
}

#[test]
fn root_must_be_asked_for() {
    install()
        .args("--dry-run --user root -- sh x")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: the app would run as root
  help: name another user, which appctl creates if missing; ports below 1024 do not need root; if you mean root, add --allow-root

"#]]);
    install()
        .args("--dry-run --user root --allow-root --listen 31996 -- sh x")
        .exits(0);
}

#[test]
fn instances_are_between_one_and_the_most() {
    for number in ["0", "-1", "100000", "many", "max-", "max-x", "+1"] {
        install().args("--dry-run -i").arg(number).exits_and_changes_nothing(2);
    }
    for number in ["1", "512", "max", "max-1"] {
        install().args("--dry-run -i").arg(number).args("-- sh x").exits(0);
    }
}

#[test]
fn an_address_of_another_app_is_refused() {
    install()
        .wanted("web", "exec = 'x'\nlisten = 31995\n")
        .args("--dry-run --listen 31995 -- sh x")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: myapp cannot listen on 31995: web listens on 31995
  help: give myapp another address: --listen, or listen = … in its file

"#]]);
}

#[test]
fn an_installed_app_is_not_installed_again() {
    install()
        .wanted("myapp", "exec = 'x'\n")
        .args("--dry-run -- sh x")
        .exits_and_changes_nothing(3)
        .stderr_eq(str![[r#"
error: myapp is installed already
  help: after editing [TREE]/root/etc/appctl/apps/myapp.toml: appctl apply myapp; to restart it: appctl rolling-restart myapp; to start over: appctl uninstall myapp

"#]]);
}

#[test]
fn without_systemd_nothing_is_changed() {
    if std::path::Path::new("/run/systemd/system").exists() {
        return;
    }
    install()
        .args("--listen 31994 -- sh x")
        .exits_and_changes_nothing(1)
        .stderr_eq(str![[r#"
error: systemd does not run this machine (PID 1 is another program)
  help: appctl runs apps as systemd units, so PID 1 must be systemd; in a container, start systemd as its first process

"#]]);
    install()
        .args("--json --listen 31994 -- sh x")
        .exits_and_changes_nothing(1)
        .stdout_eq(str![[r#"
{"error":{"causes":[],"exit_code":1,"help":"appctl runs apps as systemd units, so PID 1 must be systemd; in a container, start systemd as its first process","last_lines":[],"message":"systemd does not run this machine (PID 1 is another program)","problems":[]}}

"#]]);
}

#[test]
fn port_comes_from_the_file_of_variables() {
    let test = Test::new()
        .file("app/Procfile", "web: sh x")
        .file("app.env", "# PORT=1\nPORT=\"31993\"\n");
    let output = test.args("install myapp app --dry-run --env-file app.env").exits(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("listen = 31993"));
}

#[test]
fn a_worker_is_told_that_it_has_no_port() {
    let output = install().args("--dry-run -- sh work").exits(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("note: no port is held for it"));
}

#[test]
fn a_node_worker_without_a_port_is_asked_for() {
    let test = || Test::new().file("app/worker.js", "setInterval(() => {}, 1000)\n");
    let output = test()
        .args("install myapp app --dry-run --no-listen -- node worker.js")
        .exits(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(!said.contains("listen = "), "{said}");
    let output = test().args("install myapp app --dry-run -- node worker.js").exits(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("listen = 3000"));
    test()
        .args("install myapp app --no-listen --listen 3000 -- node worker.js")
        .exits_and_changes_nothing(2);
}
