//! What only a whole machine can show: reboots, power loss, and the kernel's memory limit. A machine boots slowly, so
//! each Debian gets one, and one test walks through everything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use appctl_lab::contract::check;
use appctl_lab::{Debian, Host, Machine, apps, built_deb};
use serde_json::Value;

#[test]
fn debian_12_survives_reboot_power_loss_and_a_leak() -> Result<()> {
    walk(Debian::Twelve)
}

#[test]
fn debian_13_survives_reboot_power_loss_and_a_leak() -> Result<()> {
    walk(Debian::Thirteen)
}

/// An emulated machine beside boxes under load may take minutes for what takes seconds.
const PATIENCE: Duration = Duration::from_mins(4);

/// By instance: its state, its app's pid, and how often it was restarted.
type Members = BTreeMap<String, (String, Option<u64>, u64)>;

fn walk(debian: Debian) -> Result<()> {
    let mut machine = Machine::boot(debian)?;
    is_a_machine(&machine)?;
    machine.install_deb(&built_deb()?)?;
    machine.copy_in(&apps::prepare("plain")?, "/srv/myapp")?;
    machine.run_ok(&[
        "appctl",
        "install",
        "myapp",
        "/srv/myapp",
        "--instances",
        "max",
        "--user",
        "work",
    ])?;
    one_for_each_processor(&machine)?;
    a_leak_costs_one_instance(&machine)?;
    // A power loss may cost what was not written yet; the installation was a while ago in real life.
    machine.run_ok(&["sync"])?;
    let first = machine.boot_id()?;
    machine.reboot()?;
    is_up_without_a_login(&machine).context("after the reboot")?;
    let second = machine.boot_id()?;
    machine.hard_reset()?;
    is_up_without_a_login(&machine).context("after the power loss")?;
    let third = machine.boot_id()?;
    let anew = first != second && second != third && first != third;
    ensure!(anew, "it did not boot anew: {first} {second} {third}");
    Ok(())
}

/// The memory limit is the kernel's own here.
fn is_a_machine(machine: &Machine) -> Result<()> {
    check(machine)?;
    let controllers = machine.read_file("/sys/fs/cgroup/cgroup.controllers")?;
    ensure!(
        controllers.split_whitespace().any(|name| name == "memory"),
        "no memory controller: {controllers}"
    );
    Ok(())
}

/// `max` is what PID 1 may use, not what the operator's session may.
fn one_for_each_processor(machine: &Machine) -> Result<()> {
    let processors = machine.run_ok(&["nproc"])?.trim_end().parse::<usize>()?;
    ensure!(
        processors > 1,
        "the machine has {processors} processor, which shows nothing"
    );
    ensure!(members(machine)?.len() == processors, "{:?}", members(machine)?);
    let check = ["appctl", "check", "/etc/appctl/apps/myapp.toml"];
    let confined = machine.run_ok(&[&["taskset", "-c", "0"], &check[..]].concat())?;
    ensure!(confined.contains(&format!("{processors} instances")), "{confined}");
    let all = format!("0-{}", processors - 1);
    machine.run_ok(&["taskset", "-pc", "0", "1"])?;
    let one = machine.run_ok(&check);
    machine.run_ok(&["taskset", "-pc", &all, "1"])?;
    ensure!(one?.contains("1 instance of"), "PID 1 may use one processor only");
    Ok(())
}

fn a_leak_costs_one_instance(machine: &Machine) -> Result<()> {
    machine.run_ok(&[
        "sh",
        "-c",
        "printf '\\n[ready]\\ntimeout = \"3min\"\\n[limits]\\nmemory = \"120M\"\\n' >> /etc/appctl/apps/myapp.toml",
    ])?;
    machine.run_ok(&["appctl", "apply", "myapp"])?;
    let before = members(machine)?;
    let limit = machine.run_ok(&[
        "systemctl",
        "show",
        "--property=MemoryMax",
        "--value",
        "myapp@1.service",
    ])?;
    ensure!(limit.trim_end() == (120 << 20).to_string(), "MemoryMax={limit}");
    let victim = leak_until_killed(machine)?;
    let after = wait_until_up(machine, before.len())?;
    for (name, (state, pid, restarts)) in &before {
        let now = &after[name];
        if *name == victim {
            ensure!(
                now.1 != *pid && now.2 == restarts + 1,
                "{victim} was not restarted once: {now:?}"
            );
        } else {
            ensure!(
                *now == (state.clone(), *pid, *restarts),
                "the sibling {name} changed: {now:?}"
            );
        }
    }
    let journal = machine.journal(&format!("myapp@{victim}"))?;
    ensure!(
        journal.contains("killed by the OOM killer"),
        "the journal does not name the reason:\n{journal}"
    );
    Ok(())
}

/// One connection stays with one instance, so that only that one leaks; gives that instance's name.
fn leak_until_killed(machine: &Machine) -> Result<String> {
    let script = "const http = require('http'); const agent = new http.Agent({keepAlive: true, maxSockets: 1}); \
        let pid; const leak = () => http.get({port: 3000, path: '/leak?mb=8', agent}, (res) => { \
        if (pid && res.headers['x-pid'] !== pid) return done(); pid = res.headers['x-pid']; res.resume(); res.on('end', leak); \
        }).on('error', done); const done = () => { console.log(pid); process.exit(); }; leak();";
    let before = members(machine)?;
    let pid: u64 = machine.run_ok(&["node", "-e", script])?.trim_end().parse()?;
    let victim = before.iter().find(|(_, member)| member.1 == Some(pid));
    Ok(victim
        .with_context(|| format!("{pid} is none of {before:?}"))?
        .0
        .clone())
}

fn is_up_without_a_login(machine: &Machine) -> Result<()> {
    let processors = machine.run_ok(&["nproc"])?.trim_end().parse::<usize>()?;
    wait_until_up(machine, processors)?;
    let ask = "require('http').get({port: 3000, headers: {'x-request-id': 'seen'}}, (r) => r.pipe(process.stdout))";
    ensure!(machine.run_ok(&["node", "-e", ask])?.trim_end() == "seen");
    let started = machine.run_ok(&[
        "systemctl",
        "show",
        "--property=ActiveState",
        "--value",
        "myapp.service",
    ])?;
    ensure!(started.trim_end() == "active");
    // Started with the boot itself, before it counted as finished, and by no one's session.
    let times = [
        "systemctl",
        "show",
        "--property=ActiveEnterTimestampMonotonic",
        "--value",
    ];
    let of = |unit: &str| -> Result<u64> { Ok(machine.run_ok(&[&times[..], &[unit]].concat())?.trim_end().parse()?) };
    let (app, boot) = (of("myapp.service")?, of("multi-user.target")?);
    ensure!(app > 0 && boot > 0 && app <= boot, "up at {app}, the system at {boot}");
    Ok(())
}

fn wait_until_up(machine: &Machine, count: usize) -> Result<Members> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let members = members(machine)?;
        if members.len() == count && members.values().all(|(state, ..)| state == "ready") {
            return Ok(members);
        }
        ensure!(Instant::now() < deadline, "not up: {members:?}");
        // Each look costs the emulated machine as much as a start of the app.
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn members(machine: &Machine) -> Result<Members> {
    let text = machine.run_ok(&["appctl", "status", "myapp", "--json"])?;
    let status: Value = serde_json::from_str(&text)?;
    let instances = status.pointer("/apps/0/instances").and_then(Value::as_array);
    let one = |value: &Value| {
        let state = value["state"].as_str().unwrap_or_default().to_owned();
        let restarts = value["restarts"].as_u64().unwrap_or_default();
        let name = value["instance"].as_str().unwrap_or_default().to_owned();
        (name, (state, value["pid"].as_u64(), restarts))
    };
    Ok(instances
        .with_context(|| format!("no instances in {text}"))?
        .iter()
        .map(one)
        .collect())
}
