//! How it is doing: kernel, shim and journal text in, samples out. Pure.

pub mod cpus;
mod shim_status;

pub use shim_status::{ShimState, ShimStatus};
