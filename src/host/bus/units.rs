//! States of units: a whole list in one call, and the few properties of an instance that matter here.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::try_join_all;
use zbus::wire::{OwnedObjectPath, OwnedVariant};

use super::proxy::{PropertiesProxy, SERVICE_INTERFACE, UNIT, UNIT_INTERFACE, UnitRow};
use super::{ANSWER, BusError, Connection, Systemd, within};
use crate::observe::{Activity, InstanceState, UnitState};

impl Systemd {
    /// Loaded units whose names match one of the patterns of glob(7), in one call.
    pub async fn units(&self, patterns: &[&str]) -> Result<Vec<UnitState>, BusError> {
        let list = async || {
            let manager = self.manager().await?;
            within(ANSWER, "", manager.list_units_by_patterns(&[], patterns)).await
        };
        let rows = self.patiently(list).await?;
        Ok(rows.into_iter().map(unit_state).collect())
    }

    /// One instance.
    pub async fn instance(&self, unit: &str) -> Result<InstanceState, BusError> {
        let all = self.instances(&[unit.to_owned()]).await?;
        let first = all.into_iter().next();
        first.ok_or_else(|| BusError::NoSuchUnit(unit.to_owned()))
    }

    /// Several instances, in the order asked for: one list and one burst of small questions.
    pub async fn instances(&self, units: &[String]) -> Result<Vec<InstanceState>, BusError> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        self.patiently(async || self.instances_once(units).await).await
    }

    async fn instances_once(&self, units: &[String]) -> Result<Vec<InstanceState>, BusError> {
        let names: Vec<&str> = units.iter().map(String::as_str).collect();
        let manager = self.manager().await?;
        let rows = within(ANSWER, "", manager.list_units_by_names(&names)).await?;
        let rows: Vec<UnitState> = rows.into_iter().map(unit_state).collect();
        let connection = self.live().await?;
        let wanted = units.iter().map(|unit| {
            let row = rows.iter().find(|row| row.name == *unit);
            detail(&connection, unit, row)
        });
        try_join_all(wanted).await
    }

    /// The run that each service is up in, `None` where it is not, in the order asked for: [`InstanceState::invocation`]
    /// for two small questions each.
    pub async fn runs(&self, units: &[String]) -> Result<Vec<Option<String>>, BusError> {
        let ask = async || {
            let connection = self.live().await?;
            try_join_all(units.iter().map(|unit| run(&connection, unit))).await
        };
        self.patiently(ask).await
    }

    /// The path of the unit's job, `/` when it has none.
    pub(super) async fn job(&self, unit: &str) -> Result<OwnedObjectPath, BusError> {
        let ask = async || {
            let of = Properties::of(&self.live().await?, unit).await?;
            of.get::<(u32, OwnedObjectPath)>(UNIT_INTERFACE, "Job").await
        };
        let (_, path) = self.patiently(ask).await?;
        Ok(path)
    }
}

fn unit_state((name, _, load, active, sub, _, _, job, ..): UnitRow) -> UnitState {
    UnitState {
        name,
        load,
        activity: Activity::of(&active),
        sub,
        job: Some(job).filter(|id| *id != 0),
    }
}

async fn detail(connection: &Connection, unit: &str, row: Option<&UnitState>) -> Result<InstanceState, BusError> {
    let mut state = InstanceState::listed(unit, row);
    let of = Properties::of(connection, unit).await?;
    // systemd loads a unit that nobody uses anew for each question, which takes it milliseconds.
    if state.activity == Activity::Inactive && hex(&of.get::<Vec<u8>>(UNIT_INTERFACE, "InvocationID").await?).is_none()
    {
        return Ok(state);
    }
    let id: Vec<u8>;
    let (pid, since): (u32, u64);
    (id, pid, since, state.restarts, state.status_text) = tokio::try_join!(
        of.get(UNIT_INTERFACE, "InvocationID"),
        of.get(SERVICE_INTERFACE, "MainPID"),
        of.get(UNIT_INTERFACE, "ActiveEnterTimestamp"),
        of.get(SERVICE_INTERFACE, "NRestarts"),
        of.get(SERVICE_INTERFACE, "StatusText"),
    )?;
    state.invocation = hex(&id);
    state.main_pid = Some(pid).filter(|pid| *pid != 0);
    state.active_since = Some(since).filter(|since| *since != 0).map(Duration::from_micros);
    if !state.activity.is_up() {
        (state.exit_status, state.exit_code, state.result) = tokio::try_join!(
            of.get(SERVICE_INTERFACE, "ExecMainStatus"),
            of.get(SERVICE_INTERFACE, "ExecMainCode"),
            of.get(SERVICE_INTERFACE, "Result"),
        )?;
    }
    Ok(state)
}

async fn run(connection: &Connection, unit: &str) -> Result<Option<String>, BusError> {
    let of = Properties::of(connection, unit).await?;
    let (state, id): (String, Vec<u8>) = tokio::try_join!(
        of.get(UNIT_INTERFACE, "ActiveState"),
        of.get(UNIT_INTERFACE, "InvocationID"),
    )?;
    Ok(hex(&id).filter(|_| Activity::of(&state).is_up()))
}

/// The properties of one unit.
pub(super) struct Properties<'u> {
    unit: &'u str,
    proxy: PropertiesProxy<'static>,
}

impl<'u> Properties<'u> {
    pub(super) async fn of(connection: &Connection, unit: &'u str) -> Result<Self, BusError> {
        let proxy = PropertiesProxy::builder(connection).path(object_path(unit));
        let proxy = proxy.cache_properties(zbus::proxy::CacheProperties::No).build().await;
        let proxy = proxy.map_err(|error| BusError::sort(error, unit))?;
        Ok(Self { unit, proxy })
    }

    pub(super) async fn get<T>(&self, interface: &str, name: &str) -> Result<T, BusError>
    where
        T: TryFrom<OwnedVariant, Error = zbus::Error>,
    {
        let value = within(ANSWER, self.unit, self.proxy.get(interface, name)).await?;
        T::try_from(value).map_err(BusError::Garbled)
    }
}

fn digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0')
}

fn hex(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(32);
    for byte in bytes {
        write!(text, "{byte:02x}").ok()?;
    }
    Some(text).filter(|text| text.chars().any(|c| c != '0'))
}

/// The object of a unit: every byte but letters and digits is `_` and two hexadecimal digits, and so is a leading digit.
pub(super) fn object_path(unit: &str) -> String {
    let mut path = format!("{UNIT}/");
    for (at, byte) in unit.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            path.push(byte.into());
        } else {
            path.extend(['_', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    path
}
