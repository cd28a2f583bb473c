//! Values of variables: seen by root and by the app, and by no other account.

use anyhow::{Context, Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};
use serde_json::Value;

on_each_debian!(no_other_account_sees_a_value, a_value_that_is_typed_is_not_shown);

const WANTED: &str = "/etc/appctl/apps/myapp.toml";
const APPLIED: &str = "/etc/appctl/applied/myapp.toml";
const KEPT: &str = "/etc/appctl/env/myapp.env";

fn no_other_account_sees_a_value(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "myapp")?;
    host.run_ok(&["useradd", "ann"])?;
    let install = ["install", "myapp", &directory, "--user", "work", "--instances", "2"];
    let variables = ["--env", "TOKEN=hunter2", "--env", "ODD=a \"b\" $HOME `x` \\ 'y'"];
    let said = stage.appctl_ok(&[&install[..], &variables].concat())?;
    ensure!(
        said.contains("looks like a secret: TOKEN") && said.contains("appctl env myapp set TOKEN"),
        "{said}"
    );
    ensure!(
        environment(stage)?.contains("ODD=a \"b\" $HOME `x` \\ 'y'\0"),
        "{}",
        environment(stage)?
    );
    modes(stage)?;
    hidden(stage)?;
    kept_variables(stage)?;
    a_value_that_breaks_the_app_is_taken_back(stage)?;
    builds(stage, &directory)?;
    uninstalled(stage, &directory)
}

fn environment(stage: &Stage) -> Result<String> {
    let pid = stage.pids("myapp")?.get("1").copied().context("an instance")?;
    stage.host().read_file(&format!("/proc/{pid}/environ"))
}

fn mode(stage: &Stage, path: &str) -> Result<String> {
    Ok(stage
        .host()
        .run_ok(&["stat", "-c", "%a %U", path])?
        .trim_end()
        .to_owned())
}

/// What an operator has closed stays closed on every way that writes it, and its copy with it.
fn modes(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let both = || Ok::<_, anyhow::Error>((mode(stage, WANTED)?, mode(stage, APPLIED)?));
    let closed = ("600 root".to_owned(), "600 root".to_owned());
    ensure!(both()? == closed, "after install: {:?}", both()?);
    host.run_ok(&["chmod", "644", WANTED, APPLIED])?;
    host.run_ok(&["chmod", "600", WANTED])?;
    stage.appctl_ok(&["apply", "myapp"])?;
    ensure!(both()? == closed, "after apply: {:?}", both()?);
    stage.appctl_ok(&["scale", "myapp", "1"])?;
    ensure!(both()? == closed, "after scale: {:?}", both()?);
    stage.appctl_ok(&["status"])?;
    let status = host.run_ok(&["runuser", "-u", "ann", "--", "appctl", "status", "myapp"])?;
    ensure!(status.contains("myapp"), "{status}");
    Ok(())
}

/// Everything that another account can ask, and what root asks without wanting to see values.
fn hidden(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let asked = "systemctl show myapp@1 myapp; systemctl cat myapp@1; appctl show myapp --units; appctl status myapp --json; \
                 cat /run/systemd/generator/* /etc/appctl/*/* /run/appctl/myapp/*; \
                 busctl introspect org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/myapp_401_2eservice";
    let seen = host.run(&["runuser", "-u", "ann", "--", "sh", "-c", &format!("{asked}; true")])?;
    ensure!(
        seen.stdout.contains("appctl-shim") && !seen.stdout.contains("hunter2"),
        "{seen:?}"
    );
    ensure!(mode(stage, "/run/systemd/generator/myapp.env")? == "600 root");
    let text = host.read_file(WANTED)?;
    host.write_file("/tmp/new.toml", &text.replace("hunter2", "hunter3"))?;
    host.run_ok(&["cp", "/tmp/new.toml", WANTED])?;
    for quiet in [
        &["show", "myapp"][..],
        &["show", "myapp", "--json"],
        &["apply", "myapp", "--dry-run"],
    ] {
        let said = stage.appctl_ok(quiet)?;
        ensure!(said.contains("TOKEN") || quiet[0] == "show", "{said}");
        ensure!(!said.contains("hunter"), "{quiet:?}: {said}");
    }
    host.run_ok(&["sh", "-c", &format!("sed -i s/hunter3/hunter2/ {WANTED}")])?;
    let shown = stage.appctl_ok(&["show", "myapp", "--reveal"])?;
    ensure!(shown.contains("TOKEN=hunter2"), "{shown}");
    let checked = stage.appctl_ok(&["check", WANTED])?;
    ensure!(checked.contains("TOKEN") && !checked.contains("hunter2"), "{checked}");
    Ok(())
}

/// `appctl env`: from standard input, in force by a rollout, listed without values.
fn kept_variables(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let before = stage.pids("myapp")?;
    host.run_with_input(&["appctl", "env", "myapp", "set", "API_KEY"], b"opensesame\n")?;
    ensure!(environment(stage)?.contains("API_KEY=opensesame\0") && stage.pids("myapp")? != before);
    ensure!(mode(stage, KEPT)? == "600 root" && mode(stage, "/etc/appctl/env")? == "700 root");
    stage.appctl_ok(&["env", "myapp", "set", "TOKEN=kept", "MODE=fast"])?;
    ensure!(
        environment(stage)?.contains("TOKEN=kept\0"),
        "they win over the file's own"
    );
    let listed = stage.appctl_ok(&["env", "myapp"])?;
    ensure!(listed == "API_KEY\nTOKEN\nMODE\n", "{listed}");
    let revealed = stage.appctl_ok(&["env", "myapp", "list", "--reveal"])?;
    ensure!(revealed.contains("API_KEY=opensesame"), "{revealed}");
    let pids = stage.pids("myapp")?;
    stage.appctl_ok(&["env", "myapp", "unset", "MODE", "--no-roll"])?;
    ensure!(stage.pids("myapp")? == pids && environment(stage)?.contains("MODE=fast\0"));
    stage.appctl_ok(&["apply", "myapp"])?;
    ensure!(!environment(stage)?.contains("MODE="));
    for (words, status) in [
        (&["set", "1A=x"][..], 2),
        (&["set", "LISTEN_FDS=3"], 2),
        (&["unset", "NONE"], 5),
    ] {
        let output = stage.appctl(&[&["env", "myapp"], words].concat())?;
        ensure!(output.status == status, "{words:?}: {output:?}");
    }
    edited(stage)
}

fn edited(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.write_file(
        "/usr/local/bin/ed-it",
        "#!/bin/sh\nstat -c %a \"$2\"\nsed -i \"$1\" \"$2\"\n",
    )?;
    host.run_ok(&["chmod", "755", "/usr/local/bin/ed-it"])?;
    let edit = |command: &str| {
        let editor = format!("EDITOR=ed-it {command}");
        host.run(&["env", &editor, "appctl", "env", "myapp", "edit"])
    };
    let output = edit("s/opensesame/sesame/")?;
    ensure!(output.success() && output.stdout.starts_with("600\n"), "{output:?}");
    ensure!(environment(stage)?.contains("API_KEY=sesame\0"));
    let output = edit("s/API_KEY=/API-KEY=/")?;
    ensure!(output.status == 2 && output.stderr.contains("line 1"), "{output:?}");
    host.run_ok(&["chmod", "777", "/usr/local/bin/ed-it"])?;
    let output = edit("s/sesame/x/")?;
    ensure!(
        output.status == 2 && output.stderr.contains("would run as root"),
        "{output:?}"
    );
    let left = host.run_ok(&["ls", "-A", "/etc/appctl/env"])?;
    ensure!(left == "myapp.applied\nmyapp.env\n", "{left}");
    Ok(())
}

fn a_value_that_breaks_the_app_is_taken_back(stage: &Stage) -> Result<()> {
    let before = stage.pids("myapp")?;
    let output = stage.appctl(&["env", "myapp", "set", "NODE_OPTIONS=--no-such-option"])?;
    ensure!(output.status == 4, "{output:?}");
    ensure!(stage.pids("myapp")? == before, "what served was touched");
    let listed = stage.appctl_ok(&["env", "myapp"])?;
    ensure!(listed == "API_KEY\nTOKEN\n", "{listed}");
    Ok(())
}

/// A build has them, and its transient unit shows none.
fn builds(stage: &Stage, directory: &str) -> Result<()> {
    let host = stage.host();
    let text = host.read_file(WANTED)?;
    let show = "systemctl show 'myapp.task.*' >shown.txt; env >env.txt";
    host.write_file(
        "/tmp/new.toml",
        &format!("{text}\n[deploy]\nbake = '0s'\nbuild = ['sh', '-c', \"{show}\"]\n"),
    )?;
    host.run_ok(&["cp", "/tmp/new.toml", WANTED])?;
    stage.appctl_ok(&["apply", "myapp"])?;
    stage.appctl_ok(&["deploy", "myapp", directory, "--force"])?;
    let current = "/var/lib/appctl/myapp/current";
    let shown = host.read_file(&format!("{current}/shown.txt"))?;
    ensure!(
        shown.contains("EnvironmentFiles=") && !shown.contains("sesame"),
        "{shown}"
    );
    let own = host.read_file(&format!("{current}/env.txt"))?;
    ensure!(own.contains("API_KEY=sesame\n"), "{own}");
    ensure!(!host.run(&["test", "-e", "/run/appctl/myapp/task/myapp.env"])?.success());
    Ok(())
}

/// A person at a terminal of a shell: what the command shows, how it ends, and whether the terminal shows what is typed,
/// once the command has asked and once it is gone.
const KEYBOARD: &str = r#"import fcntl, json, os, select, signal, sys, termios

master, slave = os.openpty()
shell = os.fork()
if not shell:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(slave, number)
    # What a test run in the background has ignored.
    for number in signal.SIGINT, signal.SIGQUIT:
        signal.signal(number, signal.SIG_DFL)
    os.execvp("bash", ["bash", "-mc", sys.argv[1]])
shown = b""

def until(text):
    global shown
    seen = len(shown)
    while text not in shown[seen:]:
        if not select.select([master], [], [], 20)[0]:
            sys.exit(f"no {text} in {shown}")
        shown += os.read(master, 4096)

def echoes():
    return bool(termios.tcgetattr(slave)[3] & termios.ECHO)

echo = []
for keys in sys.argv[2:]:
    until(b"of its own): ")
    echo.append(echoes())
    os.write(master, keys.encode().decode("unicode_escape").encode())
status = os.waitstatus_to_exitcode(os.waitpid(shell, 0)[1])
echo.append(echoes())
while select.select([master], [], [], 0)[0]:
    shown += os.read(master, 4096)
print(json.dumps({"shown": shown.decode(), "echo": echo, "status": status}))
"#;

fn typed(stage: &Stage, command: &str, keys: &[&str]) -> Result<(String, Vec<Value>, Value)> {
    let argv = [&["python3", "/usr/local/lib/keyboard.py", command], keys].concat();
    let seen: Value = serde_json::from_str(&stage.host().run_ok(&argv)?)?;
    let echo = seen["echo"].as_array().context("a list")?.clone();
    let shown = seen["shown"].as_str().context("text")?.to_owned();
    Ok((shown, echo, seen["status"].clone()))
}

/// Not while it is typed, and not by a terminal that an interrupted command has left silent.
fn a_value_that_is_typed_is_not_shown(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "myapp")?;
    stage.appctl_ok(&["install", "myapp", &directory, "--user", "work"])?;
    host.write_file("/usr/local/lib/keyboard.py", KEYBOARD)?;
    let set = "appctl env myapp set TOKEN --no-roll";
    // Signals as negative numbers. The last one is stopped, looked at, and continued.
    let cases: [(String, &[&str], i64, &str); 4] = [
        (format!("exec {set}"), &["hunter2\\n\\x04"], 0, "hunter2"),
        (format!("exec {set}"), &["hunter3\\x03"], -2, "hunter2"),
        (format!("exec {set}"), &["hunter3\\x1c"], -3, "hunter2"),
        (
            format!("{set}; stty -a | grep -o '[ ]echo '; fg"),
            &["\\x1a", "hunter4\\nhunter5\\x04\\x04"],
            0,
            "hunter4\\nhunter5",
        ),
    ];
    for (command, keys, status, kept) in cases {
        let (shown, echo, ended) = typed(stage, &command, keys)?;
        ensure!(
            ended == status && !shown.contains("hunter"),
            "{keys:?}: {ended}: {shown}"
        );
        let (last, silent) = echo.split_last().context("an answer")?;
        ensure!(
            *last == true && silent.iter().all(|echo| *echo == false),
            "{keys:?}: {echo:?}"
        );
        ensure!(!command.contains("stty") || shown.contains(" echo "), "{shown}");
        let listed = stage.appctl_ok(&["env", "myapp", "list", "--reveal"])?;
        ensure!(listed.starts_with(&format!("'TOKEN={kept}'\n")), "{keys:?}: {listed}");
    }
    Ok(())
}

/// Kept for the next installation, until all of it is to go.
fn uninstalled(stage: &Stage, directory: &str) -> Result<()> {
    let host = stage.host();
    stage.appctl_ok(&["uninstall", "myapp"])?;
    ensure!(mode(stage, KEPT)? == "600 root");
    let said = stage.appctl_ok(&["install", "myapp", directory, "--user", "work"])?;
    ensure!(
        said.contains("appctl env myapp") && environment(stage)?.contains("API_KEY=sesame\0"),
        "{said}"
    );
    stage.appctl_ok(&["uninstall", "myapp", "--purge", "--yes"])?;
    let left = host.run_ok(&["ls", "-A", "/etc/appctl/env"])?;
    ensure!(left.is_empty(), "{left}");
    Ok(())
}
