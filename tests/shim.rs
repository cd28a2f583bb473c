//! `appctl-shim` from outside, as systemd and the app's processes see it: real children, real signals, a test in the
//! place of systemd (`NOTIFY_SOCKET`, the file descriptor store) and of the Node adapter (the control and probe sockets).

#[path = "shim/adapter.rs"]
mod adapter;
#[path = "shim/backoff.rs"]
mod backoff;
#[path = "shim/budget.rs"]
mod budget;
#[path = "shim/child.rs"]
mod child;
#[path = "shim/control.rs"]
mod control;
#[path = "shim/harness.rs"]
mod harness;
#[path = "shim/readiness.rs"]
mod readiness;
#[path = "shim/refusals.rs"]
mod refusals;
#[path = "shim/running.rs"]
mod running;
#[path = "shim/stop.rs"]
mod stop;
#[path = "shim/watchdog.rs"]
mod watchdog;
