//! `appctl`: run web apps with systemd as the supervisor.
//!
//! The folders are questions, in the order in which they may depend on each other (never back; `tests/architecture.rs`):
//!
//! - [`spec`]: *what* the user asked for. TOML in, checked [`spec::AppSpec`] out.
//! - [`mod@unit`]: *how* systemd runs it. `AppSpec` in, unit text out.
//! - [`rollout`]: *when* to restart what. Events in, steps out.
//! - [`release`]: *which* code is live. Ids, order, layout.
//! - [`observe`]: *how it is doing*. Kernel, shim and journal text in, samples out.
//! - [`contract`]: what the programs promise each other. Beneath all but `spec`.
//! - `drive`: what a rollout asks of the world, step by step, and what came of it. Effects behind traits.
//! - [`host`]: the only I/O of the library. No decisions.
//!
//! The programs in `src/bin` are glue over these: load, decide (pure), drive (host), print.

pub mod contract;
#[cfg(feature = "cli")]
pub mod drive;
pub mod host;
pub mod observe;
pub mod release;
pub mod rollout;
pub mod spec;
pub mod unit;
