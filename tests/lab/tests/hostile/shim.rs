//! The shim has the app's account and is out of its reach all the same; what the app says of itself is shown as its word.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::LIMIT;

on_each_debian!(
    no_process_of_the_account_reaches_into_a_shim,
    what_an_app_says_of_itself_is_its_word
);

/// What a process of the account can get at: memory, environment, descriptors, and control by ptrace(2) and
/// `pidfd_getfd(2)`. Numbers of syscalls(2).
const REACH: &str = r#"
my $pid = shift;
for my $file ("mem", "environ", "maps", "io") { print "$file " if open(my $h, "<", "/proc/$pid/$file"); }
print "fd " if opendir(my $d, "/proc/$pid/fd");
print "cwd " if defined readlink("/proc/$pid/cwd");
my $handle = syscall(434, $pid + 0, 0);
for my $number (0 .. 15) { if (syscall(438, $handle, $number, 0) >= 0) { print "getfd "; last; } }
if (syscall(101, 0x4206, $pid + 0, 0, 0) == 0) { print "ptrace "; }
"#;
const ALL: &str = "mem environ maps io fd cwd getfd ptrace ";

/// Looks for shims that begin, as fast as it can, for a few seconds, and into each: one may be open for a moment.
const WATCH: &str = r#"
my $end = time + 6;
my $seen = 0;
my %known = map { $_ => 1 } glob("/proc/[0-9]*");
while (time < $end) {
    for my $proc (grep { !$known{$_} } glob("/proc/[0-9]*")) {
        open(my $comm, "<", "$proc/comm") or next;
        my $name = <$comm> // "";
        if ($name ne "appctl-shim\n") { next if $name =~ /^\(|systemd/; $known{$proc} = 1; next; }
        $known{$proc} = 1;
        $seen++;
        print "open " if open(my $mem, "<", "$proc/mem");
    }
}
print "seen $seen\n";
"#;

fn as_work(stage: &Stage, script: &str, argument: &str) -> Result<String> {
    let words = [
        "setpriv",
        "--reuid=work",
        "--regid=work",
        "--clear-groups",
        "perl",
        "-e",
        script,
        argument,
    ];
    stage.host().run_ok(&words)
}

fn no_process_of_the_account_reaches_into_a_shim(stage: &Stage) -> Result<()> {
    let app = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &app, "--instances", "2", "--user", "work"])?;
    for member in stage.members("myapp")?.into_values() {
        let (app, shim) = (
            member.pid.unwrap_or(0).to_string(),
            member.shim_pid.unwrap_or(0).to_string(),
        );
        // The app is an ordinary process of its account: this is what all of them could do to a shim.
        let reached = as_work(stage, REACH, &app)?;
        ensure!(reached == ALL, "of the app: {reached:?}");
        let reached = as_work(stage, REACH, &shim)?;
        ensure!(reached.is_empty(), "of its shim: {reached:?}");
    }
    let watcher = [
        "setpriv",
        "--reuid=work",
        "--regid=work",
        "--clear-groups",
        "perl",
        "-e",
        WATCH,
    ];
    let watcher = stage.host().spawn(&watcher)?;
    for _ in 0..3 {
        stage.appctl_ok(&["rolling-restart", "myapp"])?;
    }
    let output = watcher.wait_with_output()?;
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(found.starts_with("seen ") && found != "seen 0\n", "{found}");
    Ok(())
}

const SAYS: &str = r#"#!/bin/sh
systemd-notify --ready --status="$(printf 'all is "well"; crashes 9; \033[31mred\033]0;title\007')"
exec sleep infinity
"#;

fn what_an_app_says_of_itself_is_its_word(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["mkdir", "-p", "/srv/talk"])?;
    host.write_file("/srv/talk/run.sh", SAYS)?;
    let file =
        "exec = [\"/bin/sh\", \"run.sh\"]\ndirectory = \"/srv/talk\"\nuser = \"work\"\nready = { when = \"notify\" }\n";
    host.run_ok(&["useradd", "--system", "work"])?;
    host.write_file("/etc/appctl/apps/talk.toml", file)?;
    stage.appctl_ok(&["apply", "talk"])?;
    stage.appctl_ok(&["start", "talk"])?;
    let text = until("the app's word", LIMIT, || {
        let text = stage.property("talk@1.service", "StatusText")?;
        Ok(text.contains("well").then_some(text))
    })?;
    ensure!(
        text.starts_with("ready; pid ") && text.ends_with("; crashes 0"),
        "{text}"
    );
    let words = r#"; app "all is %22well%22; crashes 9; %1b[31mred%1b]0;title%07"; "#;
    ensure!(text.contains(words), "{text}");
    let shown = stage.systemctl(&["status", "talk@1.service"])?;
    ensure!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
    let status = stage.status("talk")?;
    let instance = &status["instances"][0];
    ensure!(instance["remark"].is_null() && instance["says"].as_str().is_some_and(|says| says.contains("crashes 9")));
    Ok(())
}
