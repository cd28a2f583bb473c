//! Root sits at a terminal. What an app prints, and what files, directories, tags and values are called, does nothing to it.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(nothing_from_outside_steers_the_terminal);

const LIMIT: Duration = Duration::from_secs(20);

/// Clipboard, title, clearing, the second control block, text turned around, what does not show, lines like ours.
const HOSTILE: &str = "x\u{1b}]52;c;aGk=\u{7}\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[8m\u{9b}31m\u{9d}0;t\u{9c}\r\u{8}\u{7f}\
                       \u{202e}\u{2066}\u{200b}\u{2028}\u{feff}y";
/// What git takes for a tag.
const TAG: &str = "v\u{9b}31m\u{9d}0;t\u{9c}\u{202e}\u{2066}\u{200b}\u{2028}";

/// Prints it, tells it systemd, and ends when there is a file `fail`.
const APP: &str = r#"import os, socket, sys, time

text = open("/srv/hostile", "rb").read()
sys.stdout.buffer.write(text + b"\n" + text + b"\nerror: forged\n")
sys.stdout.flush()
sys.stderr.buffer.write(text + b"\n")
sys.stderr.flush()
if os.environ.get("NOTIFY_SOCKET"):
    address = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"STATUS=" + text, address)
if os.path.exists("fail"): sys.exit(3)
time.sleep(1e6)
"#;

/// As root types it, with everything that reaches the terminal.
fn at_a_terminal(stage: &Stage, words: &[&str]) -> Result<String> {
    stage.host().write_file("/run/words", &words.join("\0"))?;
    let command = "script --quiet --command 'xargs -0 appctl </run/words' /dev/null </dev/null; true";
    let text = stage
        .host()
        .run_ok(&["env", "TERM=xterm-256color", "SHELL=/bin/sh", "sh", "-c", command])?;
    println!("{words:?}: {text:?}");
    harmless(&text)?;
    Ok(text)
}

/// Only colours of ours, a live line drawn anew, and text that shows as itself.
fn harmless(text: &str) -> Result<()> {
    let mut rest = text.replace("\r\u{1b}[K", "").replace("\r\n", "\n");
    while let Some(at) = rest.find("\u{1b}[") {
        let end = rest[at..].find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        let sequence = &rest[at + 2..=at + end];
        let parameters = sequence.strip_suffix('m').unwrap_or("?");
        ensure!(
            [
                "", "0", "1", "2", "4", "31", "32", "33", "34", "35", "36", "91", "94", "96"
            ]
            .contains(&parameters)
                || parameters.starts_with("38;5;"),
            "{sequence:?} in {text:?}"
        );
        rest.replace_range(at..=at + end, "");
    }
    let unseen =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let steers = |c: char| (c.is_control() && c != '\n' && c != '\t') || unseen(c);
    ensure!(!rest.contains(steers), "{text:?}");
    ensure!(!rest.lines().any(|line| line.starts_with("error: forged")), "{text:?}");
    Ok(())
}

/// It was shown, and written out.
fn shows(text: &str) -> Result<()> {
    ensure!(text.contains(r"\u{202e}") || text.contains(r"\u202e"), "{text:?}");
    Ok(())
}

fn prepare(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "work"])?;
    host.write_file("/srv/hostile", HOSTILE)?;
    host.write_file(&format!("/srv/{HOSTILE}/app.py"), APP)?;
    host.write_file("/srv/repo/app.py", APP)?;
    host.write_file("/srv/repo/fail", "")?;
    let git = format!(
        "cd /srv/repo && git init -q -b main && git add -A && \
         git -c user.name=a -c user.email=a@b commit -qm 'one' && git tag '{TAG}'"
    );
    host.run_ok(&["sh", "-c", &git])?;
    let text =
        "exec = \"python3 app.py\"\nuser = \"work\"\n[env]\nSHOWN = \"\u{202e}x\u{200b}\"\n[ready]\nsettle = \"0s\"\n";
    host.write_file("/etc/appctl/apps/web.toml", text)
}

fn nothing_from_outside_steers_the_terminal(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    let directory = format!("/srv/{HOSTILE}");
    shows(&at_a_terminal(
        stage,
        &["check", &format!("{directory}/{HOSTILE}.toml")],
    )?)?;
    stage.host().write_file(
        "/srv/web.toml",
        "exec = \"\u{9b}\u{202e}\"\n\"a\\u001b[2J\u{202e}\" = 1\n",
    )?;
    shows(&at_a_terminal(stage, &["check", "/srv/web.toml"])?)?;
    shows(&at_a_terminal(stage, &["stage", "web", &directory])?)?;
    shows(&at_a_terminal(stage, &["deploy", "web", &directory])?)?;
    shows(&at_a_terminal(stage, &["releases", "web"])?)?;
    stage.appctl_ok(&["apply", "web"])?;
    until("the app's words", LIMIT, || {
        let said = at_a_terminal(stage, &["logs", "web"])?;
        Ok(said.contains("error: forged").then_some(()))
    })?;
    shows(&at_a_terminal(stage, &["logs", "web"])?)?;
    shows(&at_a_terminal(stage, &["--json", "logs", "web"])?)?;
    at_a_terminal(stage, &["status", "web"])?;
    at_a_terminal(stage, &["--json", "status", "web"])?;
    at_a_terminal(stage, &["show", "web", "--units"])?;
    shows(&at_a_terminal(stage, &["show", "web", "--reveal"])?)?;
    shows(&at_a_terminal(
        stage,
        &["deploy", "web", "--git", "/srv/repo", "--ref", TAG],
    )?)?;
    shows(&at_a_terminal(
        stage,
        &["--json", "deploy", "web", "--force", "--git", "/srv/repo", "--ref", TAG],
    )?)?;
    shows(&at_a_terminal(stage, &["releases", "web"])?)?;
    shows(&at_a_terminal(stage, &["scale", HOSTILE, "2"])?)?;
    Ok(())
}
