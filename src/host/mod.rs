//! The only I/O of the library: thin, and without decisions.

#[cfg(feature = "cli")]
pub mod accounts;
#[cfg(feature = "cli")]
pub mod archive;
#[cfg(feature = "cli")]
pub mod bus;
#[cfg(feature = "cli")]
pub mod cgroupfs;
#[cfg(feature = "cli")]
pub mod files;
#[cfg(feature = "cli")]
pub mod journal;
#[cfg(feature = "cli")]
pub mod lock;
pub mod machine;
#[cfg(feature = "cli")]
pub mod paths;
#[cfg(feature = "cli")]
pub mod ports;
#[cfg(feature = "cli")]
pub mod record;
#[cfg(feature = "cli")]
pub mod releases;
#[cfg(feature = "cli")]
pub mod tree;
