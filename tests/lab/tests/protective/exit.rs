//! How an instance ended decides whether systemd calls that a failure, and whether it tries once more.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use appctl_lab::patience::{throughout, until};
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{LIMIT, install};

on_each_debian!(
    success_exit_status,
    without_success_exit_status,
    restart_prevent_exit_status,
    without_restart_prevent_exit_status,
    retry,
    without_retry,
    retry_ends_with_a_stop,
    retry_leaves_a_failed_stop_alone,
    remove_on_stop,
    without_remove_on_stop,
);

const INSTANCE: &str = "myapp@1.service";
/// systemd.exec(5), "Process Exit Codes": the account is missing.
const NO_USER: &str = "217";
const SOCKET: &str = "/run/myapp.sock";

/// An app that answers SIGTERM the way shells and npm do: by an exit status of 128 and the signal's number.
fn exits_by_143(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let (file, line) = (
        "/srv/myapp/server.js",
        "process.on('SIGTERM', () => process.exit(143));\n",
    );
    let code = stage.host().read_file(file)?;
    stage.host().write_file(file, &(code + line))?;
    stage
        .appctl_ok(&["deploy", "myapp", "/srv/myapp", "--bake", "0s"])
        .map(drop)
}

/// What an instance is left as that was stopped.
fn after_a_stop(stage: &Stage) -> Result<String> {
    stage.systemctl(&["stop", "myapp"])?;
    let ended = || {
        let state = stage.activity(INSTANCE)?;
        Ok((state == "inactive" || state == "failed").then_some(state))
    };
    until("the instance has ended", LIMIT, ended)
}

/// An app that ends by SIGTERM, as told, has not failed.
fn success_exit_status(stage: &Stage) -> Result<()> {
    exits_by_143(stage)?;
    ensure!(after_a_stop(stage)? == "inactive");
    Ok(())
}

fn without_success_exit_status(stage: &Stage) -> Result<()> {
    exits_by_143(stage)?;
    stage.drop_in("myapp@.service", "[Service]\nSuccessExitStatus=\n")?;
    ensure!(after_a_stop(stage)? == "failed", "the line makes no difference");
    Ok(())
}

/// Starts an instance whose account is gone.
fn start_without_an_account(stage: &Stage) -> Result<()> {
    stage.systemctl(&["stop", "myapp"])?;
    stage.host().run_ok(&["userdel", "--force", "work"])?;
    stage.host().run_ok(&["systemctl", "start", "--no-block", INSTANCE])?;
    until("the instance was tried", LIMIT, || {
        let status = stage.property(INSTANCE, "ExecMainStatus")?;
        Ok((status == NO_USER).then_some(()))
    })
}

fn restarts(stage: &Stage) -> Result<u32> {
    Ok(stage.property(INSTANCE, "NRestarts")?.parse()?)
}

/// No shim can run, so nothing would slow a loop of starts down.
fn restart_prevent_exit_status(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    start_without_an_account(stage)?;
    until("systemd has given up", LIMIT, || {
        Ok((stage.activity(INSTANCE)? == "failed").then_some(()))
    })?;
    ensure!(restarts(stage)? == 0, "{} restarts", restarts(stage)?);
    Ok(())
}

fn without_restart_prevent_exit_status(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.drop_in("myapp@.service", "[Service]\nRestartPreventExitStatus=\n")?;
    start_without_an_account(stage)?;
    until("a loop", LIMIT, || Ok((restarts(stage)? > 5).then_some(())))?;
    stage.systemctl(&["stop", "myapp"]).map(drop)
}

/// systemd.exec(5): what the sandbox is made of is missing.
const NO_NAMESPACE: &str = "226";
const MISSING: &str = "/srv/missing";
const RETRY: &str = "myapp.retry@1.service";

/// An instance that needs a directory which is not there, yet.
fn lacks_a_directory(stage: &Stage) -> Result<()> {
    stage.drop_in("myapp@.service", &format!("[Service]\nBindPaths={MISSING}\n"))?;
    stage.host().run(&["systemctl", "restart", INSTANCE])?;
    ensure!(stage.property(INSTANCE, "ExecMainStatus")? == NO_NAMESPACE);
    Ok(())
}

/// So often systemd has tried to start it since then.
fn tries(stage: &Stage) -> Result<usize> {
    let journal = stage.host().journal(INSTANCE)?;
    Ok(journal.matches("status=226/NAMESPACE").count())
}

fn is_up(stage: &Stage) -> Result<Option<()>> {
    Ok((stage.activity(INSTANCE)? == "active").then_some(()))
}

/// What systemd could not start may come up later: it is tried again, with a pause.
fn retry(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let begin = Instant::now();
    lacks_a_directory(stage)?;
    until("four tries", LIMIT, || Ok((tries(stage)? >= 4).then_some(())))?;
    ensure!(begin.elapsed() >= Duration::from_secs(3), "{:?}", begin.elapsed());
    stage.host().run_ok(&["mkdir", MISSING])?;
    until("the instance is up", LIMIT, || is_up(stage))
}

/// Long enough for a few tries.
const A_FEW: Duration = Duration::from_secs(4);

fn without_retry(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.systemctl(&["mask", "myapp.retry@.service"])?;
    lacks_a_directory(stage)?;
    stage.host().run_ok(&["mkdir", MISSING])?;
    throughout(A_FEW, || {
        ensure!(stage.activity(INSTANCE)? == "failed", "the unit makes no difference");
        Ok(())
    })
}

/// Whoever stops the app during the pause wants it stopped.
fn retry_ends_with_a_stop(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    lacks_a_directory(stage)?;
    until("the pause", LIMIT, || {
        Ok((stage.activity(RETRY)? == "activating").then_some(()))
    })?;
    stage.appctl_ok(&["stop", "myapp"])?;
    until("the pause has ended", LIMIT, || {
        Ok((stage.activity(RETRY)? == "inactive").then_some(()))
    })?;
    stage.host().run_ok(&["mkdir", MISSING])?;
    throughout(A_FEW, || {
        let state = stage.activity(INSTANCE)?;
        ensure!(["inactive", "failed"].contains(&state.as_str()), "{state}");
        Ok(())
    })
}

/// systemd calls it a failure, too, when it had to kill what it was asked to stop.
fn retry_leaves_a_failed_stop_alone(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    stage.drop_in("myapp@.service", "[Service]\nTimeoutStopSec=1s\nKillSignal=SIGCONT\n")?;
    stage.systemctl(&["stop", INSTANCE])?;
    ensure!(stage.activity(INSTANCE)? == "failed" && stage.property(INSTANCE, "Result")? == "timeout");
    throughout(A_FEW, || {
        ensure!(stage.activity(INSTANCE)? == "failed", "it was started again");
        Ok(())
    })
}

/// Whether the path of a unix socket is still there once the app is stopped.
fn leaves_its_socket(stage: &Stage) -> Result<bool> {
    let there = || Ok(stage.host().run(&["test", "-S", SOCKET])?.success());
    ensure!(there()?, "no socket");
    stage.systemctl(&["stop", "myapp"])?;
    until("the socket is down", LIMIT, || {
        Ok((stage.activity("myapp.socket")? == "inactive").then_some(()))
    })?;
    there()
}

fn listens_on_a_path(stage: &Stage) -> Result<()> {
    install(stage, "plain")?;
    let file = "/etc/appctl/apps/myapp.toml";
    let text = stage.host().read_file(file)?;
    let both = text.replace("listen = 3000", &format!("listen = [3000, \"{SOCKET}\"]"));
    ensure!(both != text, "no listen in {text}");
    stage.host().write_file(file, &both)?;
    stage.appctl_ok(&["apply", "myapp"]).map(drop)
}

/// A client of a stopped app learns at once that nobody is there, and no later app finds the path taken.
fn remove_on_stop(stage: &Stage) -> Result<()> {
    listens_on_a_path(stage)?;
    ensure!(!leaves_its_socket(stage)?, "the path is still there");
    Ok(())
}

fn without_remove_on_stop(stage: &Stage) -> Result<()> {
    listens_on_a_path(stage)?;
    stage.drop_in("myapp.socket", "[Socket]\nRemoveOnStop=no\n")?;
    ensure!(leaves_its_socket(stage)?, "the line makes no difference");
    Ok(())
}
