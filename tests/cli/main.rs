//! What `appctl` says and how it exits wherever that needs no systemd: help, checks, refusals, dry runs.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "the snapshots are written by their library"
)]

mod apply;
mod check;
mod help;
mod install;
mod scale;
mod show;
mod status;
mod test;
mod uninstall;
