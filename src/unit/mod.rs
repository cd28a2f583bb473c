//! How systemd runs it: a checked [`AppSpec`] in, unit text out. Pure: same input, same bytes.
//!
//! Per app: `NAME.socket` holds the addresses, `NAME.hold.service` keeps it from starting anything by itself,
//! `NAME.service` is the app as a whole, `NAME@.service` is one instance, `NAME.retry@.service` starts it once more where
//! systemd could not, and `appctl-NAME.slice` counts them together. Neither template depends on the number of instances,
//! so scaling changes the app-level unit only.

use std::path::PathBuf;

use crate::spec::{AppName, AppSpec, Instance, variables};

mod account;
mod escape;
mod file;
mod hold;
mod instance;
mod ownership;
mod quote;
mod retry;
mod sandbox;
mod service;
mod shim;
mod slice;
mod socket;
mod task;
mod version;

pub use account::account_name;
pub use escape::escape;
pub use file::{Section, UnitFile};
pub use ownership::{Foreign, Loaded, Part, app_of, is_made_for, prove};
pub use task::{Property, Purpose, Task, Value, task, task_name};
pub use version::SystemdVersion;

/// Where the parts of appctl are installed, as unit text names them.
pub mod installed {
    /// The operator's program, which `ExecReload=` runs.
    pub const APPCTL: &str = "/usr/bin/appctl";
    /// The main process of each instance.
    pub const SHIM: &str = "/usr/lib/appctl/appctl-shim";
    /// systemd's own command, which a retry unit runs.
    pub const SYSTEMCTL: &str = "/usr/bin/systemctl";
    /// What is preloaded into Node apps.
    pub const NODE_ADAPTER: &str = "/usr/lib/appctl/node.cjs";
    /// Where systemd reads generated units, systemd.generator(7).
    pub const GENERATED: &str = "/run/systemd/generator";
}

/// What the units depend on beside the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The systemd that will read the units.
    pub systemd: SystemdVersion,
    /// Processors the apps of this machine may use, for `instances = "max"`.
    pub cpus: u16,
    /// The TOML file, for `SourcePath=` of systemd.unit(5).
    pub source: PathBuf,
    /// Files of variables that an account other than root could change: PID 1 must not read them.
    pub foreign: Vec<PathBuf>,
}

/// All units of one app, in a fixed order.
pub fn render(spec: &AppSpec, host: &Host) -> Vec<UnitFile> {
    let mut units = Vec::with_capacity(6);
    units.extend(socket::render(spec, host));
    units.extend(hold::render(spec, host));
    units.push(service::render(spec, host));
    units.push(instance::render(spec, host));
    units.push(retry::render(spec, host));
    units.push(slice::render(spec, host));
    units
}

/// Name and text of the file of the app's variables, which stands beside the units and is root's alone: what a unit says
/// itself, every account can read. `None` when there are no variables.
pub fn environment(spec: &AppSpec) -> Option<(String, String)> {
    let name = environment_name(&spec.name);
    (!spec.env.is_empty()).then(|| (name, variables::write(&spec.env)))
}

/// `NAME.env`. systemd takes it for no unit.
fn environment_name(app: &AppName) -> String {
    format!("{app}.env")
}

/// Symbolic links beside the units, as `(link, target)`: what starts the app at boot.
pub fn wants(spec: &AppSpec) -> [(String, String); 1] {
    let unit = service_name(&spec.name);
    [(format!("multi-user.target.wants/{unit}"), format!("../{unit}"))]
}

/// `NAME.socket`, which holds the app's addresses.
pub fn socket_name(app: &AppName) -> String {
    format!("{app}.socket")
}

/// `NAME.hold.service`. No app's name has a dot, so this is no other app's unit.
pub fn hold_name(app: &AppName) -> String {
    format!("{app}.hold.service")
}

/// `NAME.retry@.service`, which starts an instance once more.
pub fn retry_template(app: &AppName) -> String {
    format!("{app}.retry@.service")
}

/// `NAME.service`, the app as a whole.
pub fn service_name(app: &AppName) -> String {
    format!("{app}.service")
}

/// `NAME@.service`, of which every instance is made.
pub fn template_name(app: &AppName) -> String {
    format!("{app}@.service")
}

/// `appctl-NAME.slice`, with the name escaped: a bare dash would nest the slice deeper.
pub fn slice_name(app: &AppName) -> String {
    format!("appctl-{}.slice", escape(app.as_str()))
}

/// `NAME@INSTANCE.service`, one instance.
pub fn instance_name(app: &AppName, instance: Instance) -> String {
    format!("{app}@{instance}.service")
}

/// The instance of a unit of this app; `None` for any other unit.
pub fn instance_of(app: &AppName, unit: &str) -> Option<Instance> {
    let rest = unit.strip_prefix(app.as_str())?.strip_prefix('@')?;
    rest.strip_suffix(".service")?.parse().ok()
}

/// The app's slice as a path of control groups.
pub fn slice_path(app: &AppName) -> PathBuf {
    PathBuf::from("appctl.slice").join(slice_name(app))
}

#[cfg(test)]
mod samples;
