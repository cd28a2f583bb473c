//! appctl as it comes: the app without any handler, the defaults of the package.

use anyhow::Result;

use super::{APP, Contender};
use crate::book::subject::Who;
use crate::scene::Scene;

const NAME: &str = "bench";

pub(crate) struct Appctl;

impl Contender for Appctl {
    fn who(&self) -> Who {
        Who::Appctl
    }

    fn start(&self, scene: &Scene, workers: usize) -> Result<()> {
        let (directory, workers) = (format!("/srv/{APP}"), workers.to_string());
        let argv = ["install", NAME, &directory, "--instances", &workers, "--user", "work"];
        scene.stage.appctl_ok(&argv).map(drop)
    }

    fn reload(&self, scene: &Scene) -> Result<()> {
        scene.stage.appctl_ok(&["rolling-restart", NAME]).map(drop)
    }

    fn stop(&self, scene: &Scene) -> Result<()> {
        scene.stage.appctl_ok(&["uninstall", NAME]).map(drop)
    }

    fn workers(&self, scene: &Scene) -> Result<Vec<u32>> {
        let members = scene.stage.members(NAME)?.into_values();
        let ready = members.filter(|member| member.state == "ready");
        Ok(pids(ready.map(|member| member.pid)))
    }

    fn supervisors(&self, scene: &Scene) -> Result<Vec<u32>> {
        let members = scene.stage.members(NAME)?.into_values();
        Ok(pids(members.map(|member| member.shim_pid)))
    }

    fn listing(&self) -> Vec<&'static str> {
        vec!["appctl", "status"]
    }
}

fn pids(found: impl Iterator<Item = Option<u64>>) -> Vec<u32> {
    found.flatten().filter_map(|pid| u32::try_from(pid).ok()).collect()
}
