//! The proof that a unit is an app's own, without which nothing is done to it: the calls that act on units take a
//! [`Proven`], and only this file makes one.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use futures_util::future::try_join_all;

use super::proxy::UNIT_INTERFACE;
use super::units::Properties;
use super::{BusError, Systemd};
use crate::observe::UnitState;
use crate::unit::{self, Loaded};

/// The name of a unit that was made by appctl.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proven<'u>(&'u str);

impl<'u> Proven<'u> {
    pub(super) fn name(self) -> &'u str {
        self.0
    }
}

impl Systemd {
    /// Refuses all of these when one is foreign: for those who act on several, and would rather act on none.
    pub async fn prove_all(&self, units: &[String]) -> Result<(), BusError> {
        try_join_all(units.iter().map(|unit| self.prove(unit))).await.map(drop)
    }

    /// Those that are apps' own.
    pub async fn only_ours(&self, units: Vec<UnitState>) -> Result<Vec<UnitState>, BusError> {
        let mut ours = Vec::with_capacity(units.len());
        for unit in units {
            match self.prove(&unit.name).await {
                Ok(_) => ours.push(unit),
                Err(BusError::Foreign(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ours)
    }

    /// Asks systemd what it has loaded under this name. Whose a unit is changes when units are read, so once is enough for
    /// one that the generator made.
    pub(super) async fn prove<'u>(&self, unit: &'u str) -> Result<Proven<'u>, BusError> {
        if self.generated().contains(unit) {
            return Ok(Proven(unit));
        }
        let loaded = Box::pin(self.patiently(async || self.loaded(unit).await)).await?;
        unit::prove(unit, &loaded).map_err(BusError::Foreign)?;
        if !loaded.fragment.is_empty() {
            self.generated().insert(unit.to_owned());
        }
        Ok(Proven(unit))
    }

    /// Units are about to be read again.
    pub(super) fn forget_proofs(&self) {
        self.generated().clear();
    }

    fn generated(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.link.generated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Two small questions for a unit that the generator made; more only for one that has no file or another.
    async fn loaded(&self, unit: &str) -> Result<Loaded, BusError> {
        let of = Properties::of(&self.live().await?, unit).await?;
        let (fragment, source): (String, String) = tokio::try_join!(
            of.get(UNIT_INTERFACE, "FragmentPath"),
            of.get(UNIT_INTERFACE, "SourcePath"),
        )?;
        let mut loaded = Loaded {
            fragment,
            source,
            ..Loaded::default()
        };
        if unit::prove(unit, &loaded).is_ok() && !loaded.fragment.is_empty() {
            return Ok(loaded);
        }
        loaded.load = of.get(UNIT_INTERFACE, "LoadState").await?;
        loaded.transient = of.get(UNIT_INTERFACE, "Transient").await?;
        if let Some(interface) = interface(unit) {
            (loaded.slice, loaded.control_group) =
                tokio::try_join!(of.get(interface, "Slice"), of.get(interface, "ControlGroup"))?;
        }
        Ok(loaded)
    }
}

/// The interface of the unit's own kind, for kinds that have a control group.
fn interface(unit: &str) -> Option<&'static str> {
    let (_, kind) = unit.rsplit_once('.')?;
    match kind {
        "service" => Some("org.freedesktop.systemd1.Service"),
        "socket" => Some("org.freedesktop.systemd1.Socket"),
        "slice" => Some("org.freedesktop.systemd1.Slice"),
        _ => None,
    }
}
