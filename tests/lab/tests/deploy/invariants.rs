//! What must hold after any deploy, however it ended, on any host. The numbers are those of the failure bars: I1 the live
//! release is complete, I2 it serves, I3 `status` explains, I4 there is a way out, I5 nothing half written is in force,
//! I6 once more changes nothing.

use anyhow::{Context, Result, bail, ensure};
use appctl_lab::Host;
use serde_json::Value;

use crate::chance::Chance;
use crate::scene::{SOURCE, live, status};

/// The ways out, and what each must lead to.
const WAYS: [&str; 3] = ["resume", "abort", "deploy"];

/// Looks at what is left, goes one of the ways out, and looks again; what serves then. `old` served before, `new` was
/// deployed, by the text they answer with.
pub fn hold(host: &impl Host, chance: &mut Chance, old: &str, new: &str) -> Result<String> {
    complete(host).context("I1")?;
    let found = answers(host).context("I2")?;
    ensure!(
        found == old || found == new,
        "I2: {found} serves, neither {old} nor {new}"
    );
    let state = status(host).context("I3")?;
    explained(&state).context("I3")?;
    nothing_half(host).context("I5")?;
    let open = !state["rollout"].is_null();
    let before = text_of(host, &live(host)?)?;
    let way = *chance.pick(&WAYS);
    let argv: &[&str] = match way {
        "deploy" => &["appctl", "deploy", "myapp", SOURCE],
        way => &["appctl", way, "myapp"],
    };
    let output = host.run(argv)?;
    let said = format!("{}{}", output.stdout, output.stderr);
    ensure!(output.status == 0, "I4: {way}: {} {said}", output.status);
    let after = settled(host).with_context(|| format!("I4: after {way}: {said}"))?;
    let expected = match (way, open) {
        ("deploy", _) | ("resume", true) => new,
        ("abort", true) => old,
        _ => &before,
    };
    // Whoever was killed on the way back goes on back.
    let back = state["rollout"]["going_back"] == true && way == "resume";
    ensure!(
        after == if back { old } else { expected },
        "I4: {way} led to {after}: {state} {said}"
    );
    if way == "deploy" {
        once_more(host).context("I6")?;
    }
    println!("  {}, then {way}: {after}", if open { "open" } else { "closed" });
    Ok(after)
}

/// `current` leads to a release with everything in it, and recorded.
fn complete(host: &impl Host) -> Result<()> {
    let id = live(host)?;
    let script = "cd /var/lib/appctl/myapp && cmp releases/$1/server.js /srv/myapp/server.js && \
                  test -s releases/$1/release.txt && test -s about/$1.json && test -s about/$1.files";
    host.run_ok(&["sh", "-c", script, "sh", &id]).map(drop)
}

fn text_of(host: &impl Host, id: &str) -> Result<String> {
    let text = host.read_file(&format!("/var/lib/appctl/myapp/releases/{id}/release.txt"))?;
    Ok(text.trim_end().to_owned())
}

/// Which release answers; the port is open whatever happens, so a request may wait but is never refused.
pub fn answers(host: &impl Host) -> Result<String> {
    let ask = "require('http').get({port: 3000, headers: {'x-request-id': 'x'}}, (r) => { \
               console.log(r.headers['x-release']); process.exit(0); })";
    Ok(host
        .run_ok(&["timeout", "60", "node", "-e", ask])?
        .trim_end()
        .to_owned())
}

fn explained(state: &Value) -> Result<()> {
    if state["rollout"].is_null() {
        return Ok(());
    }
    let notes = state["notes"].to_string();
    let told = notes.contains("was interrupted at") && notes.contains("appctl abort myapp");
    ensure!(
        told && state["rollout"]["release"]["to"].is_string(),
        "unexplained: {state}"
    );
    Ok(())
}

/// All that systemd and the shims read is whole.
fn nothing_half(host: &impl Host) -> Result<()> {
    let script = "cmp /etc/appctl/apps/myapp.toml /etc/appctl/applied/myapp.toml && \
                  systemctl show --property=LoadState --value myapp.service myapp@1.service myapp.socket | \
                  grep -v -e '^loaded$' -e '^$' || true";
    let other = host.run_ok(&["sh", "-c", script])?;
    ensure!(other.is_empty(), "{other}");
    host.run_ok(&["appctl", "check", "/etc/appctl/applied/myapp.toml"])
        .map(drop)
}

/// Every instance is ready on the live release, nothing is open; which text it answers with.
pub fn settled(host: &impl Host) -> Result<String> {
    let (state, id) = (status(host)?, live(host)?);
    ensure!(
        state["rollout"].is_null() && state["state"] == "up",
        "not settled: {state}"
    );
    let list = state["instances"].as_array().context("a list")?;
    ensure!(
        list.iter().all(|one| one["release"] == id.as_str()),
        "not all on {id}: {state}"
    );
    let pins = host.run(&["ls", "-A", "/run/appctl/myapp/pin"])?;
    if !pins.stdout.is_empty() {
        bail!("pins are left: {}", pins.stdout);
    }
    let (text, serves) = (text_of(host, &id)?, answers(host)?);
    ensure!(text == serves, "{serves} serves, {text} is live");
    Ok(text)
}

/// The same deploy again touches no process and leaves nothing behind.
fn once_more(host: &impl Host) -> Result<()> {
    let pids = |state: &Value| -> Vec<Value> {
        let list = state["instances"].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["pid"].clone()).collect()
    };
    let before = pids(&status(host)?);
    let said = host.run_ok(&["appctl", "deploy", "myapp", SOURCE])?;
    ensure!(said.contains("nothing to do"), "{said}");
    ensure!(pids(&status(host)?) == before, "processes were replaced");
    let left = host.run_ok(&["sh", "-c", "ls -A /var/lib/appctl/myapp/releases | grep '^\\.' || true"])?;
    ensure!(left.is_empty(), "left behind: {left}");
    Ok(())
}
