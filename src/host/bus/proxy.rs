//! The part of `org.freedesktop.systemd1(5)` that is used here, as typed proxies, and nothing else.

use zbus::Variant;
use zbus::wire::{OwnedObjectPath, OwnedVariant};

/// One row of `ListUnitsByPatterns`: name, description, load, active, sub, followed, unit path, job id, job type, job path.
pub(super) type UnitRow = (
    String,
    String,
    String,
    String,
    String,
    String,
    OwnedObjectPath,
    u32,
    String,
    OwnedObjectPath,
);

/// Where PID 1 lives on the bus.
pub(super) const SERVICE: &str = "org.freedesktop.systemd1";
/// The manager object.
pub(super) const MANAGER: &str = "/org/freedesktop/systemd1";
/// What every unit object's path begins with.
pub(super) const UNIT: &str = "/org/freedesktop/systemd1/unit";
/// Interface of what all units have.
pub(super) const UNIT_INTERFACE: &str = "org.freedesktop.systemd1.Unit";
/// Interface of what services have.
pub(super) const SERVICE_INTERFACE: &str = "org.freedesktop.systemd1.Service";

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
pub(super) trait Manager {
    fn subscribe(&self) -> zbus::Result<()>;
    fn start_unit(&self, unit: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn stop_unit(&self, unit: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn restart_unit(&self, unit: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn start_transient_unit(
        &self,
        unit: &str,
        mode: &str,
        properties: &[(&str, Variant<'_>)],
        auxiliary: &[(&str, Vec<(&str, Variant<'_>)>)],
    ) -> zbus::Result<OwnedObjectPath>;
    fn reload(&self) -> zbus::Result<()>;
    fn reset_failed_unit(&self, unit: &str) -> zbus::Result<()>;
    fn get_unit_file_state(&self, unit: &str) -> zbus::Result<String>;
    fn list_units_by_patterns(&self, states: &[&str], patterns: &[&str]) -> zbus::Result<Vec<UnitRow>>;
    fn list_units_by_names(&self, units: &[&str]) -> zbus::Result<Vec<UnitRow>>;

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> zbus::Result<String>;
}

/// Single properties: an instance has five of interest among several hundred, some of which read files when asked for.
#[zbus::proxy(
    interface = "org.freedesktop.DBus.Properties",
    default_service = "org.freedesktop.systemd1"
)]
pub(super) trait Properties {
    fn get(&self, interface: &str, property: &str) -> zbus::Result<OwnedVariant>;
}
