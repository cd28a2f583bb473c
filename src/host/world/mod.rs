//! The world that rollouts are driven in: this machine's systemd, files, journal and clock, for one app.

mod disk;
mod drained;
mod haste;
mod reason;

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

pub use reason::why;

use crate::contract::times;
use crate::drive::{Clock, Commands, Drained, JobResult, Journal, Reason, Replaced, Variables};
use crate::host::bus::{self, Watch};
use crate::host::hook;
use crate::host::trusted::Owner;
use crate::observe::InstanceState;
use crate::release::{AppPaths, Layout};
use crate::rollout::About;
use crate::spec::{AppName, AppSpec, Instance};
use crate::unit::{instance_name, instance_of};

/// This machine, as far as one app is concerned.
#[derive(Debug)]
pub struct ThisMachine {
    systemd: bus::Systemd,
    layout: Layout,
    app: AppName,
    /// systemd keeps its own limits; these only catch a systemd that does not.
    up: Duration,
    down: Duration,
    watch: Mutex<Option<Watch>>,
}

impl ThisMachine {
    /// For the app with these settings.
    pub fn new(systemd: &bus::Systemd, layout: &Layout, spec: &AppSpec) -> Self {
        Self {
            systemd: systemd.clone(),
            layout: layout.clone(),
            app: spec.name.clone(),
            up: times::worst_restart(spec),
            down: times::worst_stop(spec),
            watch: Mutex::default(),
        }
    }

    fn paths(&self) -> AppPaths<'_> {
        self.layout.of(&self.app)
    }

    fn unit(&self, instance: Instance) -> String {
        instance_name(&self.app, instance)
    }

    fn units(&self, who: &[Instance]) -> Vec<String> {
        who.iter().map(|who| self.unit(*who)).collect()
    }
}

impl Clock for ThisMachine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl crate::drive::Systemd for ThisMachine {
    async fn instances(&self, who: &[Instance]) -> anyhow::Result<Vec<InstanceState>> {
        Ok(self.systemd.instances(&self.units(who)).await?)
    }

    async fn runs(&self, who: &[Instance]) -> anyhow::Result<Vec<Option<String>>> {
        Ok(self.systemd.runs(&self.units(who)).await?)
    }

    async fn replace(&self, instance: Instance) -> anyhow::Result<Replaced> {
        let unit = self.unit(instance);
        let replace = Box::pin(self.systemd.replace(&unit, self.up));
        Ok(haste::during(replace, &self.app, &unit).await?)
    }

    async fn stop(&self, instance: Instance) -> anyhow::Result<JobResult> {
        let unit = self.unit(instance);
        let result = haste::during(self.systemd.stop(&unit, self.down), &self.app, &unit).await?;
        // One that had crashed would stay listed as failed.
        self.systemd.reset_failed(&unit).await?;
        Ok(result)
    }

    async fn reload(&self) -> anyhow::Result<()> {
        Ok(self.systemd.reload().await?)
    }

    async fn watch(&self, who: &[Instance]) -> anyhow::Result<()> {
        let watch = self.systemd.watch(&self.units(who)).await?;
        *self.watch.lock().await = Some(watch);
        Ok(())
    }

    async fn changed(&self) -> anyhow::Result<Vec<Instance>> {
        let mut watch = self.watch.lock().await;
        let units = match watch.as_mut() {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        };
        let units = units.ok_or_else(|| anyhow::anyhow!("systemd can no longer be reached"))?;
        Ok(units.iter().filter_map(|unit| instance_of(&self.app, unit)).collect())
    }
}

impl Journal for ThisMachine {
    async fn why(&self, state: &InstanceState, result: &JobResult, since: Option<Timestamp>) -> Reason {
        reason::why(&self.systemd, state, result, since).await
    }

    async fn drained(&self, about: &About) -> Option<Drained> {
        drained::drained(about).await
    }
}

impl Commands for ThisMachine {
    fn refuse_untrusted(&self, command: &[String]) -> Result<(), String> {
        hook::refuse_untrusted(command, Owner::Us).map_err(|error| error.to_string())
    }

    async fn run(&self, command: &[String], variables: &Variables, limit: Duration) -> Result<(), String> {
        let result = hook::run(command, variables, limit).await;
        result.map_err(|error| error.to_string())
    }
}
