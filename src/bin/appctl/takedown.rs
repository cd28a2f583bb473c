//! Everything systemd has of an app, stopped: also what its file does not ask for, as a surge instance that was left
//! behind, and what outlasts the instances, as the unit that keeps the addresses.

use std::time::Duration;

use appctl::contract::times;
use appctl::drive::JobResult;
use appctl::host::bus::{BusError, Systemd};
use appctl::host::files;
use appctl::observe::UnitState;
use appctl::spec::AppName;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::apps::App;
use crate::exit::{Exit, ExpectedError};
use crate::session::Session;
use crate::units;

/// Each round stops what was started during the one before, by a pause that was over or by another program.
const ROUNDS: usize = 8;

/// Units of an app that systemd has loaded, and no other program's of the same name.
pub(crate) async fn loaded(systemd: &Systemd, app: &AppName) -> anyhow::Result<Vec<UnitState>> {
    Ok(systemd.only_ours(of_its_names(systemd, app).await?).await?)
}

/// Refuses to go on where a unit is up that is called like one of the app's and is not: half of an app would be stopped.
pub(crate) async fn refuse_foreign(systemd: &Systemd, app: &AppName) -> anyhow::Result<()> {
    let all = of_its_names(systemd, app).await?.into_iter();
    let up: Vec<String> = all
        .filter(|unit| !unit.activity.is_down())
        .map(|unit| unit.name)
        .collect();
    Ok(systemd.prove_all(&up).await?)
}

async fn of_its_names(systemd: &Systemd, app: &AppName) -> anyhow::Result<Vec<UnitState>> {
    let patterns = [
        units::socket(app),
        units::service(app),
        format!("{app}@*.service"),
        units::hold(app),
        format!("{app}.retry@*.service"),
    ];
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    Ok(systemd.units(&patterns).await?)
}

/// Those of them that are up, on their way, or about to be.
pub(crate) async fn up(systemd: &Systemd, app: &AppName) -> anyhow::Result<Vec<String>> {
    let loaded = loaded(systemd, app).await?.into_iter();
    let up = loaded.filter(|unit| !unit.activity.is_down() || unit.job.is_some());
    Ok(up.map(|unit| unit.name).collect())
}

impl Session<'_> {
    /// Stops all of the app and waits until nothing of it is left; `ended` is told of each unit.
    pub(crate) async fn stop_all(&self, ended: &dyn Fn(&str)) -> anyhow::Result<()> {
        let deadline = self.longest_stop();
        for _ in 0..ROUNDS {
            let next = in_order(&self.app, up(self.systemd, &self.app).await?);
            if next.is_empty() {
                return Ok(());
            }
            round(self.systemd, &next, deadline, ended).await?;
        }
        let up = up(self.systemd, &self.app).await?.join(", ");
        let error = ExpectedError::new(
            Exit::FAILED,
            format!("{up} was started again each time that appctl stopped it"),
        );
        Err(error.help(format!("journalctl -u '{}*' shows when", self.app)).into())
    }

    /// Stops all of the app and takes failures off the list: what has lost its file ends as one, for what its file said
    /// of ends.
    pub(crate) async fn clear(&self) -> anyhow::Result<()> {
        self.stop_all(&|_| ()).await?;
        for unit in loaded(self.systemd, &self.app).await? {
            self.systemd.reset_failed(&unit.name).await?;
        }
        Ok(())
    }

    /// Stops all of the app, takes its files away, and makes systemd forget it: also the slice, which nothing else ends.
    pub(crate) async fn take_away(&self) -> anyhow::Result<()> {
        let paths = self.paths();
        self.stop_all(&|_| ()).await?;
        for file in [paths.wanted_file(), paths.applied_file(), paths.applied_env_file()] {
            files::remove(&file)?;
        }
        self.systemd.reload().await?;
        self.clear().await?;
        match self
            .systemd
            .stop(&units::slice(&self.app), times::worst_slice_stop())
            .await
        {
            // The administrator's, who made it while the app was there.
            Err(BusError::Foreign(_)) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    /// By the file in force.
    fn longest_stop(&self) -> Duration {
        let loaded = App::load(self.paths()).ok();
        times::worst_app_stop(loaded.as_ref().and_then(App::in_force))
    }
}

/// Stops units all at once and waits until each has ended. What another job has kept from that is for the next round.
async fn round(systemd: &Systemd, units: &[String], deadline: Duration, ended: &dyn Fn(&str)) -> anyhow::Result<()> {
    let stops = units
        .iter()
        .map(async |unit| (unit, systemd.stop(unit, deadline).await));
    let mut stops: FuturesUnordered<_> = stops.collect();
    while let Some((unit, result)) = stops.next().await {
        match result? {
            JobResult::Done => ended(unit),
            JobResult::Canceled => {}
            other => return Err(ExpectedError::new(Exit::FAILED, format!("{unit} did not stop: {other}")).into()),
        }
    }
    Ok(())
}

/// What to stop first. The socket leads, and what requires it follows in the same transaction: while instances drain, a
/// connection to it would start the app anew. The unit that keeps it from that outlasts the rest.
fn in_order(app: &AppName, up: Vec<String>) -> Vec<String> {
    let (socket, hold) = (units::socket(app), units::hold(app));
    let (mut first, last): (Vec<String>, Vec<String>) = up.into_iter().partition(|unit| *unit != hold);
    first.sort_by_key(|unit| *unit != socket);
    if first.is_empty() { last } else { first }
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn the_socket_leads_and_what_holds_it_comes_last() {
        let app = "web".parse().expect("a name");
        let order = |up: &[&str]| in_order(&app, up.iter().map(ToString::to_string).collect());
        assert_eq!(
            order(&["web.hold.service", "web@1.service", "web.socket", "web.service"]),
            ["web.socket", "web@1.service", "web.service"]
        );
        assert_eq!(order(&["web.hold.service"]), ["web.hold.service"]);
        assert!(order(&[]).is_empty());
    }
}
