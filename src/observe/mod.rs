//! How it is doing: kernel, shim and journal text in, samples out. Pure.

pub mod accounts;
pub mod cgroup;
pub mod cpus;
#[cfg(feature = "cli")]
pub mod journal;
#[cfg(feature = "cli")]
pub mod locks;
#[cfg(feature = "cli")]
pub mod maps;
#[cfg(feature = "cli")]
pub mod mounts;
pub mod process;
#[cfg(feature = "cli")]
pub mod sockets;
#[cfg(feature = "cli")]
mod unit_state;

#[cfg(feature = "cli")]
pub use unit_state::{Activity, Glance, InstanceState, UnitState, reported_release};
