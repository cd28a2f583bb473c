//! What `appctl` says and how it exits wherever that needs no systemd: help, checks, refusals, dry runs.

#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes snapshots with them")]

mod apply;
mod check;
mod escapes;
mod help;
mod install;
mod scale;
mod show;
mod stage;
mod status;
mod test;
mod uninstall;
