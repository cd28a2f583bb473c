//! The only I/O of the library: thin, and without decisions.

#[cfg(feature = "cli")]
pub mod bus;
#[cfg(feature = "cli")]
pub mod paths;
