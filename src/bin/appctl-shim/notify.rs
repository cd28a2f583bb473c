//! What the shim tells systemd, `sd_notify(3)`. A message that cannot be sent is lost: the app matters more.

use std::os::fd::BorrowedFd;

use appctl::observe::ShimStatus;
use sd_notify::NotifyState;

use crate::machine::Millis;

/// `READY=1`, with the status.
pub(crate) fn ready(status: &ShimStatus) {
    send(&[NotifyState::Ready, NotifyState::Status(&status.to_string())]);
}

/// `STOPPING=1`, with the status. Only after a stop request: systemd begins its stop timeout here.
pub(crate) fn stopping(status: &ShimStatus) {
    send(&[NotifyState::Stopping, NotifyState::Status(&status.to_string())]);
}

/// `STATUS=`.
pub(crate) fn status(status: &ShimStatus) {
    send(&[NotifyState::Status(&status.to_string())]);
}

/// `EXTEND_TIMEOUT_USEC=`.
pub(crate) fn extend(span: Millis) {
    let usec = u32::try_from(span.saturating_mul(1_000)).unwrap_or(u32::MAX);
    send(&[NotifyState::ExtendTimeoutUsec(usec)]);
}

/// `WATCHDOG=1`.
pub(crate) fn watchdog() {
    send(&[NotifyState::Watchdog]);
}

/// Hands a file to systemd's file descriptor store.
pub(crate) fn store(name: &str, file: BorrowedFd<'_>) {
    let _ = sd_notify::notify_with_fds(&[NotifyState::FdStore, NotifyState::FdName(name)], &[file]);
}

/// Whether systemd expects `WATCHDOG=1` of this process.
pub(crate) fn watchdog_expected() -> bool {
    sd_notify::watchdog_enabled().is_some()
}

fn send(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
