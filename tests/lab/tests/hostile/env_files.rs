//! Files of variables that an app's account can change: never read with root's rights.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(pid_1_reads_no_file_of_an_app);

const WANTED: &str = "/etc/appctl/apps/myapp.toml";
const LIMIT: Duration = Duration::from_secs(20);

/// A file in the home of the app's account works, with what that account may read; replaced by a link to a file of root's
/// it gives nothing, neither at a start nor to a build, and root's own files are read as before.
fn pid_1_reads_no_file_of_an_app(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "myapp")?;
    host.run_ok(&["useradd", "--create-home", "work"])?;
    host.write_file("/etc/root.secret", "ROOT_ONLY=hunter2\n")?;
    host.write_file("/etc/myapp.env", "FROM_ETC=yes\n")?;
    host.run_ok(&["chmod", "600", "/etc/root.secret", "/etc/myapp.env"])?;
    host.write_file("/home/work/my.env", "# mine\nFROM_HOME='yes'\n")?;
    host.run_ok(&["chown", "work:", "/home/work/my.env"])?;
    host.run_ok(&["chmod", "600", "/home/work/my.env"])?;
    let install = ["install", "myapp", &directory, "--user", "work"];
    stage.appctl_ok(&[&install[..], &["--env-file", "/home/work/my.env"]].concat())?;
    let text = host.read_file(WANTED)?;
    let both = "env_file = [\"/home/work/my.env\", \"/etc/myapp.env\"]";
    let text = text.replace("env_file = \"/home/work/my.env\"", both);
    let text = format!(
        "{text}\n[deploy]\nbake = '0s'\nbuild = ['sh', '-c', 'env >env.txt; systemctl show -p EnvironmentFiles \"myapp.task.*\" >files.txt']\n"
    );
    host.write_file(WANTED, &text)?;
    stage.appctl_ok(&["apply", "myapp"])?;
    let environment = environment(stage)?;
    ensure!(
        environment.contains("FROM_HOME=yes\0") && environment.contains("FROM_ETC=yes\0"),
        "{environment}"
    );
    let cat = stage.host().run_ok(&["systemctl", "cat", "myapp@1"])?;
    ensure!(!cat.contains("EnvironmentFile=-/home"), "{cat}");
    built(stage, &directory)?;
    swapped(stage, &directory)?;
    nothing_of_an_instance_is_said_by_a_file(stage)?;
    refusals(stage, &text)
}

/// What systemd and the shim tell an instance about itself.
fn nothing_of_an_instance_is_said_by_a_file(stage: &Stage) -> Result<()> {
    let add = "echo LISTEN_FDS=9 >>/home/work/my.env";
    stage.host().run_ok(&["runuser", "-u", "work", "--", "sh", "-c", add])?;
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    let environment = environment(stage)?;
    ensure!(environment.contains("LISTEN_FDS=1\0"), "{environment}");
    Ok(())
}

fn environment(stage: &Stage) -> Result<String> {
    let pid = stage.pids("myapp")?.get("1").copied().context("an instance")?;
    stage.host().read_file(&format!("/proc/{pid}/environ"))
}

/// The unit of a build gives PID 1 root's files only, and the build has the variables of all.
fn built(stage: &Stage, directory: &str) -> Result<()> {
    stage.appctl_ok(&["deploy", "myapp", directory, "--force"])?;
    let made = |name: &str| stage.host().read_file(&format!("/var/lib/appctl/myapp/current/{name}"));
    let (environment, files) = (made("env.txt")?, made("files.txt")?);
    ensure!(
        environment.contains("FROM_HOME=yes\n") && environment.contains("FROM_ETC=yes\n"),
        "{environment}"
    );
    ensure!(files.contains("/etc/myapp.env") && !files.contains("/home"), "{files}");
    Ok(())
}

/// By the app's account, after all was applied.
fn swapped(stage: &Stage, directory: &str) -> Result<()> {
    let host = stage.host();
    let swap = "ln -sf /etc/root.secret /home/work/my.env";
    host.run_ok(&["runuser", "-u", "work", "--", "sh", "-c", swap])?;
    host.run_ok(&["systemctl", "daemon-reload"])?;
    let rolled = stage.appctl(&["rolling-restart", "myapp"])?;
    ensure!(
        rolled.status == 4 && rolled.stderr.contains("is not readable for the app's user"),
        "{rolled:?}"
    );
    let deployed = stage.appctl(&["deploy", "myapp", directory, "--force"])?;
    ensure!(deployed.status != 0, "{deployed:?}");
    let find = "grep -rl hunter2 /var/lib/appctl /proc/[0-9]*/environ 2>/dev/null";
    let found = host.run(&["sh", "-c", find])?;
    ensure!(found.stdout.is_empty(), "root's variable got out: {found:?}");
    let crash = "pkill -KILL -u work -f appctl-shim";
    host.run(&["sh", "-c", crash])?;
    until("the instance says why it does not start", LIMIT, || {
        let journal = host.journal("myapp@1.service")?;
        Ok(journal
            .contains("env_file /home/work/my.env is not readable")
            .then_some(()))
    })?;
    let back = "ln -sf /dev/null /home/work/my.env; rm /home/work/my.env; echo FROM_HOME=again >/home/work/my.env";
    host.run_ok(&["runuser", "-u", "work", "--", "sh", "-c", back])?;
    until("it is up again", LIMIT, || {
        Ok(environment(stage)
            .is_ok_and(|all| all.contains("FROM_HOME=again\0"))
            .then_some(()))
    })
}

/// What neither root nor the app will read is refused before anything is changed.
fn refusals(stage: &Stage, text: &str) -> Result<()> {
    let host = stage.host();
    host.write_file("/home/work/root.env", "A=1\n")?;
    host.run_ok(&["chmod", "600", "/home/work/root.env"])?;
    host.write_file("/tmp/x.env", "A=1\n")?;
    host.run_ok(&["chown", "work:", "/tmp/x.env"])?;
    for (path, why) in [
        ("/home/work/root.env", "/home/work belongs to work"),
        ("/tmp/x.env", "each app has a /tmp of its own"),
    ] {
        host.write_file(WANTED, &text.replace("/home/work/my.env", path))?;
        for verb in [&["check", WANTED][..], &["apply", "myapp"]] {
            let output = stage.appctl(verb)?;
            ensure!(
                output.status == 3 && output.stderr.contains(why),
                "{verb:?} with {path}: {output:?}"
            );
        }
    }
    Ok(())
}
