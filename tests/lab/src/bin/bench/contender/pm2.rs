//! PM2 as it comes, in cluster mode. Its daemon runs as a forking unit, as the one that `pm2 startup` writes does, so
//! that it lives in the same control groups as everything it is compared with.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{APP, Contender};
use crate::book::subject::Who;
use crate::scene::Scene;

const UNIT: &str = "bench-pm2.service";
const COMMAND: &str = "/srv/pm2/node_modules/.bin/pm2";
const PID_FILE: &str = "/root/.pm2/pm2.pid";

pub(crate) struct Pm2 {
    /// The app has the SIGINT handler that PM2's documentation asks for.
    pub(crate) handler: bool,
}

impl Contender for Pm2 {
    fn who(&self) -> Who {
        if self.handler { Who::Pm2Handler } else { Who::Pm2 }
    }

    fn start(&self, scene: &Scene, workers: usize) -> Result<()> {
        let script = if self.handler { "graceful.js" } else { "server.js" };
        let fixed = "systemd-run --quiet --collect --property=Type=forking --property=LimitNOFILE=infinity \
                     --setenv=HOME=/root --setenv=PM2_DISABLE_VERSION_CHECK=true";
        let own = [
            format!("--unit={UNIT}"),
            format!("--property=PIDFile={PID_FILE}"),
            format!("--working-directory=/srv/{APP}"),
            COMMAND.to_owned(),
        ];
        let workers = workers.to_string();
        let mut argv: Vec<&str> = fixed.split_whitespace().collect();
        argv.extend(own.iter().map(String::as_str));
        argv.extend(["start", script, "--name", "bench", "-i", &workers]);
        scene.run(&argv).map(drop)
    }

    fn reload(&self, scene: &Scene) -> Result<()> {
        scene.run(&[COMMAND, "reload", "bench"]).map(drop)
    }

    fn stop(&self, scene: &Scene) -> Result<()> {
        scene.run(&["systemctl", "stop", UNIT])?;
        // What it remembers must not change the next start.
        scene.run(&["rm", "--recursive", "--force", "/root/.pm2"]).map(drop)
    }

    fn workers(&self, scene: &Scene) -> Result<Vec<u32>> {
        let text = scene.run(&[COMMAND, "jlist"])?;
        let json = text
            .lines()
            .rfind(|line| line.starts_with('['))
            .context("a list from pm2 jlist")?;
        let list: Vec<Value> = serde_json::from_str(json)?;
        let mut workers: Vec<(u64, u32)> = list.iter().filter_map(worker).collect();
        workers.sort_unstable();
        Ok(workers.into_iter().map(|(_, pid)| pid).collect())
    }

    fn supervisors(&self, scene: &Scene) -> Result<Vec<u32>> {
        Ok(vec![scene.read(PID_FILE)?.trim().parse()?])
    }

    fn listing(&self) -> Vec<&'static str> {
        vec![COMMAND, "ls"]
    }
}

fn worker(entry: &Value) -> Option<(u64, u32)> {
    let online = entry.pointer("/pm2_env/status")? == "online";
    let pid = u32::try_from(entry["pid"].as_u64()?).ok()?;
    online.then_some((entry["pm_id"].as_u64()?, pid))
}
