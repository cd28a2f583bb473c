//! Programs that `appctl` starts for other accounts, while root sits at a terminal: they do not reach it.

use std::time::Duration;

use anyhow::{Result, ensure};
use appctl_lab::patience::eventually;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(
    git_of_an_owner_types_nothing_for_root,
    a_hook_has_no_terminal,
    an_archive_is_unpacked_without_a_terminal,
);

/// Types a command for every terminal it can reach, tells which those were, and leaves a process in a session of its own.
const TYPIST: &str = r#"#!/usr/bin/perl
use POSIX ();
open(my $report, ">>", "/var/tmp/report/$$") or die;
print $report "controlling terminal\n" if open(my $tty, "+<", "/dev/tty");
for my $number (0 .. 255) {
    open(my $file, "<&=", $number) or next;
    print $report "terminal at $number\n" if POSIX::isatty($number);
    print $report "inherited: ", readlink("/proc/self/fd/$number"), "\n" if -e "/proc/self/fd/$number" and readlink("/proc/self/fd/$number") =~ /secret/;
    ioctl($file, 0x5412, my $c = $_) for split(//, "typed-by-an-app\n");
}
if (defined $tty) { ioctl($tty, 0x5412, my $c = $_) for split(//, "typed-by-an-app\n"); }
if (!fork) { POSIX::setsid(); POSIX::close($_) for 0 .. 255; exec "sleep", "4711"; }
print $report "ran\n";
close($report);
exec @ARGV if @ARGV;
"#;

/// Types that into root's terminal, and then reads what stands there to be read, as root's shell would.
fn at_a_terminal(stage: &Stage, command: &str) -> Result<String> {
    let script = format!("exec 7</etc/secret; {command}; read -r -t 1 line; echo \"[$line]\"");
    let session = format!("script --quiet --return --command '{script}' /dev/null");
    stage.host().run_ok(&["env", "SHELL=/bin/bash", "bash", "-c", &session])
}

fn prepare(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--create-home", "ann"])?;
    host.write_file("/etc/secret", "hash")?;
    host.write_file("/usr/local/bin/typist", TYPIST)?;
    host.run_ok(&["chmod", "0755", "/usr/local/bin/typist"])?;
    host.run_ok(&["install", "-d", "-m", "1777", "/var/tmp/report"])
        .map(drop)
}

/// It ran, reached nothing, and nothing of it is left.
fn reached_nothing(stage: &Stage, said: &str, runs: usize) -> Result<()> {
    let host = stage.host();
    let report = host.run_ok(&["sh", "-c", "cat /var/tmp/report/*; rm /var/tmp/report/*"])?;
    let lines: Vec<&str> = report.lines().collect();
    ensure!(
        lines.len() >= runs && lines.iter().all(|line| *line == "ran"),
        "{report}\n{said}"
    );
    ensure!(said.contains("[]") && !said.contains("typed-by-an-app"), "{said}");
    Ok(())
}

const COMMANDS: [&str; 4] = [
    "git config --global uploadpack.packObjectsHook typist",
    "git config --global filter.x.smudge 'typist cat'",
    "git config --global filter.x.clean 'typist cat'",
    "git config --global core.alternateRefsCommand typist",
];

/// The owner's own configuration makes git start programs: behind sudo, and where root reads the owner's repository.
fn git_of_an_owner_types_nothing_for_root(stage: &Stage) -> Result<()> {
    let host = stage.host();
    prepare(stage)?;
    host.write_file("/etc/appctl/apps/web.toml", "exec = \"node server.js\"\n")?;
    host.write_file("/home/ann/app/server.js", "1")?;
    host.write_file("/home/ann/app/.gitattributes", "*.js filter=x")?;
    host.run_ok(&["chown", "-R", "ann:", "/home/ann"])?;
    let commit = "git init -q -b main && git add -A && git -c user.name=a -c user.email=a@b commit -qm one";
    let script = [commit, &COMMANDS.join(" && ")].join(" && ");
    host.run_ok(&[
        "runuser",
        "-u",
        "ann",
        "--",
        "env",
        "-C",
        "/home/ann/app",
        "HOME=/home/ann",
        "sh",
        "-c",
        &script,
    ])?;
    let stage_git = "appctl stage web --force --git /home/ann/app --ref main";
    for command in [stage_git.to_owned(), format!("SUDO_UID=$(id -u ann) {stage_git}")] {
        host.run_ok(&["rm", "-rf", "/var/lib/appctl/web/git"])?;
        let said = at_a_terminal(stage, &command)?;
        ensure!(said.contains("is made"), "{said}");
        reached_nothing(stage, &said, 2)?;
        let left = host.run(&["pgrep", "-a", "-u", "ann"])?;
        ensure!(!left.success(), "left behind: {}", left.stdout);
    }
    Ok(())
}

/// Root's own rights, but not root's own session: its programs take over no terminal that root goes on using.
fn a_hook_has_no_terminal(stage: &Stage) -> Result<()> {
    prepare(stage)?;
    let directory = stage.bring("plain", "web")?;
    stage.appctl_ok(&["install", "web", &directory, "--user", "work"])?;
    let file = "/etc/appctl/apps/web.toml";
    let text = stage.host().read_file(file)?;
    let hooks = "\n[ready]\nsettle = \"0s\"\n[deploy]\nbefore = [[\"/usr/local/bin/typist\"]]\n";
    stage.host().write_file(file, &format!("{text}{hooks}"))?;
    stage.appctl_ok(&["apply", "web"])?;
    stage.host().run_ok(&["sh", "-c", "rm -f /var/tmp/report/*"])?;
    let said = at_a_terminal(stage, "appctl rolling-restart web")?;
    reached_nothing(stage, &said, 1)
}

/// Held open on standard input, so that the unpacker can be looked at. A terminal is no archive.
fn an_archive_is_unpacked_without_a_terminal(stage: &Stage) -> Result<()> {
    let host = stage.host();
    prepare(stage)?;
    host.write_file("/etc/appctl/apps/web.toml", "exec = \"node server.js\"\n")?;
    let command = "appctl stage web - < <(exec sleep 1000)";
    let script = format!("script --quiet --return --command 'exec 7</etc/secret; {command}' /dev/null");
    let mut child = host.spawn(&["env", "SHELL=/bin/bash", "bash", "-c", &script])?;
    eventually(Duration::from_secs(20), || {
        let pid = host.run_ok(&["pgrep", "-u", "appctl-web"])?;
        let pid = pid.trim_end();
        let terminal = host.run_ok(&["ps", "-o", "tty=", "-p", pid])?;
        ensure!(terminal.trim_end() == "?", "{terminal}");
        let open = host.run_ok(&["ls", "-l", &format!("/proc/{pid}/fd")])?;
        ensure!(!open.contains("/dev/pts") && !open.contains("secret"), "{open}");
        Ok(())
    })?;
    host.run_ok(&["pkill", "-x", "sleep"])?;
    child.wait()?;
    let said = at_a_terminal(stage, "appctl stage web -; echo \"code $?\"")?;
    ensure!(said.contains("code 2") && said.contains("is a terminal"), "{said}");
    Ok(())
}
