//! SIGKILL for what serves: what it held may be lost, the replacement is there at once.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use appctl_lab::patience::until;
use appctl_lab::{Host, Stage, on_each_debian};

use crate::{PORT, RATE, after_enough, only_lost, set_up};

on_each_debian!(a_killed_process_is_replaced);

/// SIGKILL for one app process, and for one shim: what it held may be lost, the replacement is there at once.
fn a_killed_process_is_replaced(stage: &Stage) -> Result<()> {
    set_up(stage)?;
    for (what, number) in [("app", "2"), ("shim", "3")] {
        let before = stage.members("myapp")?;
        let victim = if what == "app" {
            before[number].pid
        } else {
            before[number].shim_pid
        };
        let victim = victim.context("it runs")?.to_string();
        let load = stage.load(PORT, RATE);
        until("a load", Duration::from_secs(20), || {
            Ok((load.answered() > 300).then_some(()))
        })?;
        let script = "date +%s%6N; kill -9 \"$1\"";
        let killed: u64 = stage
            .host()
            .run_ok(&["sh", "-c", script, "sh", &victim])?
            .trim()
            .parse()?;
        let after = until("a replacement", Duration::from_secs(20), || {
            let member = stage.members("myapp")?.remove(number).context("it is listed")?;
            let other = member.pid.is_some() && member.pid != before[number].pid;
            Ok((member.state == "ready" && other && member.shim_pid != before[number].shim_pid).then_some(member))
        })?;
        let up = active_since(stage, number)?;
        let answered = load.answered();
        until("more load", Duration::from_secs(20), || {
            Ok((load.answered() > answered + 300).then_some(()))
        })?;
        let report = after_enough(load)?;
        println!(
            "kill -9 of {what}: full strength after {} ms\n{report}",
            up.saturating_sub(killed) / 1000
        );
        only_lost(&report, true)?;
        ensure!(after.shim_pid != before[number].shim_pid, "the same shim: {after:?}");
        let status = stage.status("myapp")?;
        let one = status["instances"]
            .as_array()
            .context("a list")?
            .iter()
            .find(|one| one["instance"] == number);
        ensure!(
            one.is_some_and(|one| one["restarts"] == 1),
            "the crash is not counted: {status}"
        );
        let others = |members: &BTreeMap<String, appctl_lab::stage::Member>| -> Vec<_> {
            members
                .iter()
                .filter(|(name, _)| *name != number)
                .map(|(_, one)| one.pid)
                .collect()
        };
        ensure!(
            others(&before) == others(&stage.members("myapp")?),
            "others were touched"
        );
    }
    Ok(())
}

/// In microseconds since 1970.
fn active_since(stage: &Stage, number: &str) -> Result<u64> {
    let path = format!("/org/freedesktop/systemd1/unit/myapp_40{number}_2eservice");
    let (service, interface) = ("org.freedesktop.systemd1", "org.freedesktop.systemd1.Unit");
    let answer = stage.host().run_ok(&[
        "busctl",
        "get-property",
        service,
        &path,
        interface,
        "ActiveEnterTimestamp",
    ])?;
    let time = answer.trim().strip_prefix("t ").context("a time")?;
    Ok(time.parse()?)
}
