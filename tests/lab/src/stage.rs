//! Where a scenario plays: a fresh box with the built package installed as a user would, and what every scenario asks
//! of it. See also `on_each_debian!`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::load::{Load, Plan, Shape, Target};
use crate::patience::until;
use crate::{Box_, Debian, Host, Output, apps, built_deb};

/// The exit code of a rollout that had to cut requests.
pub const CUT: i32 = 8;

/// A load that gets no answer for this long waits for one on each connection.
const STILL: Duration = Duration::from_millis(500);
const FROZEN: Duration = Duration::from_secs(30);

/// A box with the package installed.
pub struct Stage {
    host: Box_,
}

/// What `appctl status --json` says of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `starting ready draining backing-off failed stopped`.
    pub state: String,
    /// The app's own main process.
    pub pid: Option<u64>,
    /// The main process of the unit.
    pub shim_pid: Option<u64>,
}

impl Stage {
    /// Boots a box and installs the package in it.
    pub fn set(debian: Debian) -> Result<Self> {
        let host = Box_::boot(debian)?;
        host.install_deb_alone(&built_deb()?)?;
        Ok(Self { host })
    }

    /// The box itself.
    pub fn host(&self) -> &Box_ {
        &self.host
    }

    /// Copies a fixture app to `/srv/DIR`, readable for all, and gives that path.
    pub fn bring(&self, app: &str, dir: &str) -> Result<String> {
        let path = format!("/srv/{dir}");
        self.host.copy_in(&apps::prepare(app)?, &path)?;
        self.host.run_ok(&["chmod", "-R", "u=rwX,go=rX", &path])?;
        Ok(path)
    }

    /// Runs `appctl` as root.
    pub fn appctl(&self, words: &[&str]) -> Result<Output> {
        self.host.run(&[&["appctl"], words].concat())
    }

    /// Runs `appctl` as root; it must exit with 0.
    pub fn appctl_ok(&self, words: &[&str]) -> Result<String> {
        self.host.run_ok(&[&["appctl"], words].concat())
    }

    /// One app of `appctl status --json`.
    pub fn status(&self, app: &str) -> Result<Value> {
        let text = self.appctl_ok(&["status", app, "--json"])?;
        let mut value: Value = serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?;
        value
            .pointer_mut("/apps/0")
            .map(Value::take)
            .with_context(|| format!("no app in {text}"))
    }

    /// The instances of an app by name (`1`, `2`, `surge`).
    pub fn members(&self, app: &str) -> Result<BTreeMap<String, Member>> {
        let status = self.status(app)?;
        let instances = status["instances"].as_array().context("instances is a list")?;
        Ok(instances.iter().map(member).collect())
    }

    /// The pids of the app's own main processes, by instance. Every instance must have one.
    pub fn pids(&self, app: &str) -> Result<BTreeMap<String, u64>> {
        let members = self.members(app)?.into_iter();
        members
            .map(|(name, member)| Ok((name.clone(), member.pid.with_context(|| format!("{name} runs not"))?)))
            .collect()
    }

    /// A load on a TCP port of the box until it is stopped, with 32 connections.
    pub fn load(&self, port: u16, shape: Shape) -> Load {
        Load::start(Plan::new(
            Target::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
            shape,
        ))
    }

    /// Kills processes that certainly have requests in hand: all that answer are frozen first, until the load waits for
    /// each of them. A kill alone may meet a process whose clients are just about to ask.
    pub fn kill_amid_requests(&self, load: &Load, all: &[u64], victims: &[u64]) -> Result<()> {
        self.signal("STOP", all)?;
        until("every client waits for an answer", FROZEN, || {
            let answered = load.answered();
            thread::sleep(STILL);
            Ok((load.answered() == answered).then_some(()))
        })?;
        self.signal("KILL", victims)?;
        let rest: Vec<u64> = all.iter().filter(|pid| !victims.contains(pid)).copied().collect();
        if rest.is_empty() {
            Ok(())
        } else {
            self.signal("CONT", &rest)
        }
    }

    fn signal(&self, signal: &str, pids: &[u64]) -> Result<()> {
        let pids: Vec<String> = pids.iter().map(u64::to_string).collect();
        let words: Vec<&str> = ["kill", "-s", signal]
            .into_iter()
            .chain(pids.iter().map(String::as_str))
            .collect();
        self.host.run_ok(&words).map(drop)
    }

    /// Everything `appctl` may have changed on the box, to compare before and after: files, units, accounts.
    pub fn footprint(&self) -> Result<String> {
        let script = "find /etc/appctl /var/lib/appctl /run/appctl /run/systemd/generator -ls 2>/dev/null | \
                      awk '{print $3,$5,$6,$7,$11,$12,$13}' | sort; getent passwd; getent group; \
                      systemctl list-units --all --plain --no-legend | awk '{print $1}' | \
                      grep -v -e '\\.device$' -e '\\.mount$' -e '\\.scope$' | sort";
        self.host.run_ok(&["sh", "-c", script])
    }
}

fn member(value: &Value) -> (String, Member) {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let member = Member {
        state: text("state"),
        pid: value["pid"].as_u64(),
        shim_pid: value["shim_pid"].as_u64(),
    };
    (text("instance"), member)
}

/// Asserts that none of `before` still runs in `after`, and that both hold the same instances.
pub fn all_replaced(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Result<()> {
    ensure!(
        before.keys().eq(after.keys()),
        "other instances: {before:?}, then {after:?}"
    );
    let kept: Vec<_> = before
        .iter()
        .filter(|(name, pid)| after.get(*name) == Some(*pid))
        .collect();
    ensure!(kept.is_empty(), "not replaced: {kept:?}");
    Ok(())
}

/// Makes a scenario `fn name(stage: &Stage) -> Result<()>` a test on each Debian: `name::debian_12`, `name::debian_13`.
#[macro_export]
macro_rules! on_each_debian {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            #[test]
            fn debian_12() -> anyhow::Result<()> {
                super::$scenario(&$crate::Stage::set($crate::Debian::Twelve)?)
            }

            #[test]
            fn debian_13() -> anyhow::Result<()> {
                super::$scenario(&$crate::Stage::set($crate::Debian::Thirteen)?)
            }
        }
    )+};
}
