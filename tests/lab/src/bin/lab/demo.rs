//! What a user sees: the package, an app that knows nothing of it, four instances on one port, all of them replaced.

use std::path::Path;

use anyhow::{Result, ensure};
use appctl_lab::{Host, built_deb};

const APP: &str = "/root/myapp";
const PORT: u16 = 3000;

/// Runs the session on a fresh system and prints it. Fails where the promise is not kept.
pub(crate) fn run(host: &dyn Host) -> Result<()> {
    println!("{} is up, with systemd as PID 1", host.debian());
    let port = host.port(PORT)?;
    host.install_deb(&built_deb()?)?;
    host.copy_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("apps/plain"), APP)?;
    session(
        host,
        &["appctl", "install", "myapp", APP, "--instances", "4", "--user", "work"],
    )?;
    session(host, &["appctl", "status"])?;
    let before = pids(host)?;
    println!("the port is 127.0.0.1:{port} on this machine");
    session(host, &["appctl", "rolling-restart", "myapp"])?;
    let after = pids(host)?;
    session(host, &["appctl", "status"])?;
    report(&before, &after)
}

/// One line of the session, as typed, and what came of it.
fn session(host: &dyn Host, argv: &[&str]) -> Result<()> {
    println!("\n# {}", argv.join(" "));
    let output = host.run(argv)?;
    print!("{}{}", output.stdout, output.stderr);
    ensure!(output.success(), "exit code {}", output.status);
    Ok(())
}

/// The main process of each instance.
fn pids(host: &dyn Host) -> Result<Vec<u32>> {
    let text = host.run_ok(&["systemctl", "show", "--property=MainPID", "--value", "myapp@*.service"])?;
    Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}

fn report(before: &[u32], after: &[u32]) -> Result<()> {
    println!("\nprocesses before: {before:?}\nprocesses after:  {after:?}");
    ensure!(before.len() == 4 && after.len() == 4, "four instances were asked for");
    ensure!(
        before.iter().all(|pid| !after.contains(pid)),
        "an instance was not replaced"
    );
    Ok(())
}
