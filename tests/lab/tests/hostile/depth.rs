//! Directories in each other, more than any walk has stack or descriptors for.

use anyhow::{Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use super::LIMIT;

on_each_debian!(a_deep_build_blocks_nothing, a_tree_that_grows_blocks_nothing,);

const STATE: &str = "/var/lib/appctl/web";
/// Makes directories in each other, with a file in some of them.
const DIG: &str = "\
const fs = require('fs');
for (let level = 0; level < Number(process.argv[2]); level++) {
  fs.mkdirSync('d');
  if (level % 100 === 0) fs.writeFileSync('x', '');
  process.chdir('d');
}
";
/// Waits for a build, goes into its directory and digs there for ever; says how deep it is.
const GROW: &str = "\
const fs = require('fs');
const wait = () => { try { process.chdir('/var/lib/appctl/web/build/go'); grow(); } catch { setTimeout(wait, 5); } };
const grow = () => {
  for (let level = 1; ; level++) {
    fs.mkdirSync('d');
    process.chdir('d');
    if (level === 200) fs.writeFileSync('/tmp/grows', '');
  }
};
wait();
";

fn configure(stage: &Stage, account: &str, build: &str) -> Result<()> {
    let text = format!("exec = \"node server.js\"\nlisten = 3000\n{account}\n[deploy]\n{build}\n");
    stage.host().write_file("/etc/appctl/apps/web.toml", &text)
}

/// Nothing of an attempt is left where the next one works.
fn nothing_is_left(stage: &Stage) -> Result<()> {
    let private = "/var/lib/private/appctl/web";
    for (folder, names) in [
        (STATE, &["build", "intake", ".*"][..]),
        (private, &["build", ".*"]),
        (&format!("{STATE}/releases"), &[".*"]),
    ] {
        for name in names {
            let left = stage
                .host()
                .run(&["find", folder, "-mindepth", "1", "-maxdepth", "1", "-name", name])?;
            ensure!(left.stdout.is_empty(), "left behind: {}", left.stdout);
        }
    }
    Ok(())
}

/// What a build digs is refused and removed, as is what an app digs in its own data.
fn a_deep_build_blocks_nothing(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    host.write_file("/srv/app/server.js", "setInterval(() => {}, 1000)")?;
    host.write_file("/srv/app/dig.js", DIG)?;
    for account in ["user = \"work\"", ""] {
        for depth in ["3000", "9500"] {
            configure(stage, account, &format!("build = [\"node\", \"dig.js\", \"{depth}\"]"))?;
            let output = stage.appctl(&["stage", "web", "/srv/app"])?;
            let says = "d/d/d/d/d has more than 100 levels of directories";
            ensure!(output.status == 3 && output.stderr.contains(says), "{output:?}");
            nothing_is_left(stage)?;
        }
        configure(stage, account, "")?;
        stage.appctl_ok(&["stage", "web", "/srv/app", "--force"])?;
        stage.appctl_ok(&["prune", "web"])?;
    }
    host.run_ok(&[
        "node",
        "-e",
        &format!("process.chdir('/srv'); process.argv[2] = 9500; {DIG}"),
    ])?;
    let output = stage.appctl(&["stage", "web", "/srv"])?;
    ensure!(
        output.status == 3 && output.stderr.contains("100 levels of directories"),
        "{output:?}"
    );
    host.run_ok(&["install", "--directory", "--owner=work", &format!("{STATE}/data")])?;
    let dig = format!("process.chdir('{STATE}/data'); process.argv[2] = 9500; {DIG}");
    host.run_ok(&["runuser", "-u", "work", "--", "node", "-e", &dig])?;
    stage.appctl_ok(&["uninstall", "web", "--purge", "--yes"])?;
    for path in ["/var/lib/appctl", "/var/lib/private/appctl"] {
        let left = host.run(&["find", path, "-mindepth", "1"])?;
        ensure!(left.stdout.is_empty(), "left behind: {}", left.stdout);
    }
    Ok(())
}

/// A process of the account that outlives the build goes on in what is removed.
fn a_tree_that_grows_blocks_nothing(stage: &Stage) -> Result<()> {
    let host = stage.host();
    host.run_ok(&["useradd", "--system", "work"])?;
    host.write_file("/srv/app/server.js", "setInterval(() => {}, 1000)")?;
    host.write_file("/srv/grow.js", GROW)?;
    let wait = "const fs = require('fs'); fs.mkdirSync('go'); \
                setInterval(() => fs.existsSync('/tmp/grows') && process.exit(1), 5)";
    configure(
        stage,
        "user = \"work\"\nsandbox = \"off\"",
        &format!("build = [\"node\", \"-e\", \"{wait}\"]"),
    )?;
    let mut grower = host.spawn(&["runuser", "-u", "work", "--", "node", "/srv/grow.js"])?;
    let output = stage.appctl(&["stage", "web", "/srv/app"])?;
    ensure!(output.status == 4, "the build should have failed: {output:?}");
    let out_of_the_way = || -> Result<()> {
        let there = host.run(&["test", "-e", &format!("{STATE}/build")])?.success();
        ensure!(!there, "in the way");
        Ok(())
    };
    out_of_the_way()?;
    configure(stage, "user = \"work\"", "")?;
    stage.appctl_ok(&["stage", "web", "/srv/app"])?;
    stage.appctl_ok(&["prune", "web"])?;
    out_of_the_way()?;
    host.run(&["pkill", "-KILL", "-u", "work"])?;
    grower.wait()?;
    until("nothing of it is left", LIMIT, || {
        stage.appctl_ok(&["prune", "web"])?;
        Ok(nothing_is_left(stage).ok())
    })
}
