//! What `appctl` says and how it exits wherever that needs no systemd: help, checks, refusals, dry runs.

mod apply;
mod check;
mod help;
mod install;
mod scale;
mod show;
mod status;
mod test;
mod uninstall;
