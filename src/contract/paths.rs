//! Directories and names that more than one program uses, hier(7). Directories are relative to the root of the tree.

/// The variable that names another tree than the machine's own.
pub const ROOT_VARIABLE: &str = "APPCTL_ROOT";
/// What operators want: one TOML file per app.
pub const WANTED: &str = "etc/appctl/apps";
/// What was last checked and applied.
pub const APPLIED: &str = "etc/appctl/applied";
/// Variables that `appctl env` keeps: `NAME.env` is wanted, `NAME.applied` in force.
pub const ENV: &str = "etc/appctl/env";
/// Parent of the state of all apps.
pub const STATE: &str = "var/lib/appctl";
/// Parent of what apps have until the machine is reset.
pub const RUN: &str = "run/appctl";
/// In an app's state: all releases.
pub const RELEASES: &str = "releases";
/// In an app's state: the link to the live release.
pub const CURRENT: &str = "current";
/// In an app's state: its own, `$STATE_DIRECTORY`.
pub const DATA: &str = "data";
/// Below [`RUN`], of one app: links named after instances that run another release than the live one.
pub const PINS: &str = "pin";
