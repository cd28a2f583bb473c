//! What an app's account, a name or a file could make root do, and what an app could leave behind. Each scenario is
//! something that happened once.

mod addresses;
mod contained;
mod depth;
mod env_files;
mod escapes;
mod flood;
mod forged;
mod hooks;
mod instances;
mod large_entries;
mod left_behind;
mod names;
mod neighbours;
mod opened;
mod operations;
mod purge;
mod secrets;
mod shared;
mod shim;
mod sources;
mod submodules;
mod systemctl;
mod terminals;
mod unix_sockets;

/// How long anything may take that takes a moment.
pub(crate) const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);
