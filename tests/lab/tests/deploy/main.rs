//! Releases on real systems: put in force and taken back under load, broken in every way, killed at any moment, kept and
//! pruned. `APPCTL_TORTURE=full` (`make torture`) plays the long versions; every test prints its seed and its counts.

mod broken;
mod canaries;
mod chance;
mod errors;
mod hooks;
mod interrupted;
mod invariants;
mod killed;
mod power;
mod retention;
mod scene;
mod sources;
mod turns;
mod verbs;
