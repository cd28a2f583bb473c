//! What a table of many instances needs, with few questions: a list of units is one call, and each that is up costs three
//! or four more.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::proxy::{SERVICE_INTERFACE, UNIT_INTERFACE};
use super::units::Properties;
use super::{BusError, Connection, Systemd};
use crate::observe::{Activity, Glance, UnitState};

impl Systemd {
    /// Looks at services of a list. One that is down without complaint is not asked about.
    pub async fn glance(&self, rows: &[UnitState], main_pids: bool) -> Result<Vec<Glance>, BusError> {
        let connection = self.live().await?;
        let looks = rows.iter().map(|row| look(&connection, row, main_pids));
        try_join_all(looks).await
    }
}

async fn look(connection: &Connection, row: &UnitState, main_pid: bool) -> Result<Glance, BusError> {
    let mut glance = Glance {
        activity: row.activity,
        sub: row.sub.clone(),
        ..Glance::absent(row.name.clone())
    };
    if row.activity == Activity::Inactive {
        return Ok(glance);
    }
    let of = Properties::of(connection, &row.name).await?;
    let since: u64;
    (glance.restarts, glance.status_text, since) = tokio::try_join!(
        of.get(SERVICE_INTERFACE, "NRestarts"),
        of.get(SERVICE_INTERFACE, "StatusText"),
        of.get(UNIT_INTERFACE, "ActiveEnterTimestamp"),
    )?;
    glance.active_since = (since != 0).then(|| Duration::from_micros(since));
    if main_pid {
        let pid: u32 = of.get(SERVICE_INTERFACE, "MainPID").await?;
        glance.main_pid = (pid != 0).then_some(pid);
    }
    Ok(glance)
}
