//! Commands of root around a rollout: nothing that an app's account can write becomes one, nor a part of one.

use anyhow::{Result, ensure};
use appctl_lab::{Host, Stage, on_each_debian};

on_each_debian!(nothing_of_an_app_runs_as_root);

const WANTED: &str = "/etc/appctl/apps/myapp.toml";
/// Written by whatever runs what the app wrote.
const MARK: &str = "/run/ran-as-root";

fn nothing_of_an_app_runs_as_root(stage: &Stage) -> Result<()> {
    let host = stage.host();
    let directory = stage.bring("plain", "myapp")?;
    host.run_ok(&["useradd", "--create-home", "work"])?;
    prepare(stage, &directory)?;
    stage.appctl_ok(&["install", "myapp", &directory, "--user", "work"])?;
    let text = host.read_file(WANTED)?;
    for (hook, culprit) in REFUSED {
        let table = format!("\n[deploy]\nbake = '0s'\nbefore = [{hook}]\n");
        host.write_file(WANTED, &format!("{text}{table}"))?;
        for verb in [&["check", WANTED][..], &["apply", "myapp"]] {
            let output = stage.appctl(verb)?;
            let named = output.stderr.contains(culprit) && output.stderr.contains("would run as root");
            ensure!(output.status == 3 && named, "{verb:?} with {hook}: {output:?}");
        }
    }
    hooks_of_root_run(stage, &text)?;
    what_is_given_away_later_is_refused_then(stage, &directory)?;
    let ran = host.run(&["test", "-e", MARK])?;
    ensure!(!ran.success(), "something of the app ran as root");
    Ok(())
}

/// The words of a hook, and what the refusal names.
const REFUSED: [(&str, &str); 7] = [
    ("'/home/work/tool', '/home/work/evil'", "/home/work belongs to work"),
    ("'/bin/sh', '/home/work/evil'", "/home/work belongs to work"),
    ("'/bin/sh', '--rcfile=/home/work/evil'", "/home/work belongs to work"),
    ("'/bin/sh', 'home/work/evil'", "/home/work belongs to work"),
    ("'/usr/local/sbin/script'", "/home/work belongs to work"),
    ("'/tmp/tool', 'x'", "/tmp/tool"),
    ("'/var/lib/appctl/myapp/current/hook'", "where apps keep their releases"),
];

fn prepare(stage: &Stage, directory: &str) -> Result<()> {
    let host = stage.host();
    let evil = format!("#!/bin/sh\ntouch {MARK}\n");
    host.write_file("/home/work/evil", &evil)?;
    host.write_file(&format!("{directory}/hook"), &evil)?;
    host.write_file("/usr/local/sbin/script", "#!/home/work/tool -e\n")?;
    host.run_ok(&["ln", "-s", "/bin/sh", "/home/work/tool"])?;
    host.run_ok(&["ln", "-s", "/bin/sh", "/tmp/tool"])?;
    host.run_ok(&["chown", "-hR", "work:", "/home/work", "/tmp/tool"])?;
    let hook = format!("{directory}/hook");
    host.run_ok(&["chmod", "755", "/usr/local/sbin/script", "/home/work/evil", &hook])
        .map(drop)
}

/// By way of /bin, of a link that root made, and with their own name.
fn hooks_of_root_run(stage: &Stage, text: &str) -> Result<()> {
    let host = stage.host();
    host.write_file(
        "/opt/balancer/run",
        "#!/bin/sh\necho \"$0 $1 $APPCTL_VERB\" >>/run/told\n",
    )?;
    host.run_ok(&["chmod", "755", "/opt/balancer/run"])?;
    host.run_ok(&["ln", "-s", "/opt/balancer/run", "/usr/local/sbin/balancer"])?;
    let hooks = "before = [['/usr/local/sbin/balancer', 'out'], ['/bin/sh', '-c', 'echo shell >>/run/told']]\n\
                 after = ['/usr/local/sbin/balancer', '/run/none']";
    host.write_file(WANTED, &format!("{text}\n[deploy]\nbake = '0s'\n{hooks}\n"))?;
    stage.appctl_ok(&["check", WANTED])?;
    stage.appctl_ok(&["apply", "myapp"])?;
    stage.appctl_ok(&["rolling-restart", "myapp"])?;
    let told = host.read_file("/run/told")?;
    let expected = "/opt/balancer/run out rolling-restart\nshell\n/opt/balancer/run /run/none rolling-restart\n";
    ensure!(told == expected, "{told}");
    Ok(())
}

/// Root gives the directory away after all was applied.
fn what_is_given_away_later_is_refused_then(stage: &Stage, directory: &str) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["chown", "-R", "work:", "/opt/balancer"])?;
    let evil = format!("printf '#!/bin/sh\\ntouch {MARK}\\n' >/opt/balancer/run");
    host.run_ok(&["runuser", "-u", "work", "--", "sh", "-c", &evil])?;
    let pids = stage.pids("myapp")?;
    for verb in [
        &["deploy", "myapp", directory, "--force"][..],
        &["rolling-restart", "myapp"],
    ] {
        let output = stage.appctl(verb)?;
        let named = output.stderr.contains("/opt/balancer belongs to work");
        ensure!(output.status == 4 && named, "{verb:?}: {output:?}");
    }
    ensure!(stage.pids("myapp")? == pids, "an instance was replaced");
    Ok(())
}
