//! The command line itself.

use crate::test::Test;
use snapbox::str;

#[test]
fn lists_the_verbs() {
    Test::new().args("-h").exits(0).stdout_eq(str![[r#"
Run web apps on plain Linux servers with systemd as the supervisor

Usage: appctl [OPTIONS] <COMMAND>

Commands:
  install          Install an app and start it
  uninstall        Stop apps and remove their configuration
  status           Show apps and how they are doing [aliases: list, ls]
  start            Start apps
  stop             Stop apps: requests in flight are finished, then the ports close
  restart          Restart all instances of apps at once; requests wait in the socket meanwhile
  rolling-restart  Restart the instances of apps one after the other, without losing a request
                   [alias: reload]
  deploy           Make a new release of an app and make it live, without losing a request
  rollback         Make an earlier release of an app live again [alias: revert]
  releases         List the releases of an app
  prune            Remove old releases of an app
  promote          Continue a deploy from its canaries to all instances
  scale            Change how many instances an app has
  logs             Show what apps print
  apply            Put changed configuration files in force
  env              Set variables of an app that only root and the app can read, such as secrets
  check            Check configuration files
  show             Show an app's paths, settings and units
  resume           Finish a rollout that was interrupted
  abort            Undo a rollout that was interrupted, or whose new release is still watched
  help             Print this message or the help of the given subcommand(s)

Options:
      --json      Print JSON: one object, or one per line from commands that take a while
      --no-color  Print no colours, as with NO_COLOR=1
  -h, --help      Print help (see more with '--help')
  -V, --version   Print version

"#]]);
}

#[test]
fn documents_the_exit_codes() {
    let output = Test::new().args("--help").exits(0);
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for line in ["0  done, or nothing to do", "3  invalid configuration", "7  busy"] {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn every_verb_shows_examples() {
    for verb in [
        "install",
        "uninstall",
        "status",
        "deploy",
        "rollback",
        "prune",
        "scale",
        "logs",
        "apply",
        "env",
        "check",
        "show",
    ] {
        let output = Test::new().args(verb).args("--help").exits(0);
        let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
        assert!(
            text.contains("Examples:\n  ") && text.contains(&format!("appctl {verb}")),
            "{verb}"
        );
    }
}

#[test]
fn bad_names_are_refused_by_every_verb() {
    let long = "x".repeat(300);
    for name in ["a/b", "..", "a@b", "a b", "a\nb", "é", "A", "%n", &long] {
        for verb in [
            "install",
            "uninstall",
            "status",
            "start",
            "stop",
            "restart",
            "rolling-restart",
            "logs",
            "apply",
            "show",
        ] {
            Test::new().args(verb).arg(name).exits_and_changes_nothing(2);
        }
    }
}

#[test]
fn says_what_a_name_is_made_of() {
    Test::new().args("status my.app").exits(2).stderr_eq(str![[r#"
error: invalid value 'my.app' for '[NAME]...': a name can contain only a-z, 0-9, '_' and '-', not '.'

For more information, try '--help'.

"#]]);
}

#[test]
fn an_unknown_verb_is_a_wrong_command_line() {
    Test::new().args("strat myapp").exits(2).stderr_eq(str![[r#"
error: unrecognized subcommand 'strat'

  tip: some similar subcommands exist: 'stage', 'status', 'restart', 'start'

Usage: appctl [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]);
}
