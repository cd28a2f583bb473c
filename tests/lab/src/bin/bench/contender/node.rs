//! Node alone: one process as a transient unit, with nobody to reload or supervise it.

use anyhow::{Result, bail, ensure};

use super::{APP, Contender};
use crate::asking::PORT;
use crate::book::subject::Who;
use crate::scene::Scene;

const UNIT: &str = "bench-node.service";

pub(crate) struct Node {
    pub(crate) port: u16,
}

impl Node {
    /// On the port of all contenders.
    pub(crate) fn alone() -> Self {
        Self { port: PORT }
    }

    /// Where another contender can run at the same time.
    pub(crate) fn beside() -> Self {
        Self { port: PORT + 1 }
    }
}

impl Contender for Node {
    fn who(&self) -> Who {
        Who::Node
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn start(&self, scene: &Scene, workers: usize) -> Result<()> {
        ensure!(workers == 1, "one process has the port to itself");
        let (unit, directory) = (format!("--unit={UNIT}"), format!("--working-directory=/srv/{APP}"));
        let port = format!("--setenv=PORT={}", self.port);
        let argv = [
            "systemd-run",
            "--quiet",
            "--collect",
            &unit,
            &directory,
            &port,
            "node",
            "server.js",
        ];
        scene.run(&argv).map(drop)
    }

    fn reload(&self, _: &Scene) -> Result<()> {
        bail!("nobody is there to do it")
    }

    fn stop(&self, scene: &Scene) -> Result<()> {
        scene.run(&["systemctl", "stop", UNIT]).map(drop)
    }

    fn workers(&self, scene: &Scene) -> Result<Vec<u32>> {
        let text = scene.run(&["systemctl", "show", "--value", "--property=MainPID", UNIT])?;
        Ok(vec![text.trim().parse()?])
    }

    fn supervisors(&self, _: &Scene) -> Result<Vec<u32>> {
        Ok(Vec::new())
    }

    fn listing(&self) -> Vec<&'static str> {
        vec!["systemctl", "status", UNIT]
    }
}
