//! What the shim tells systemd, `sd_notify(3)`. A message that cannot be sent is lost: the app matters more.

use std::os::fd::BorrowedFd;

use sd_notify::NotifyState;

use crate::machine::Millis;
use crate::outbox::Message;

/// One datagram with all of it. `STOPPING=1` only after a stop request: systemd begins its stop timeout there.
pub(crate) fn send(message: &Message) {
    let text = message.status.as_ref().map(ToString::to_string);
    let parts = [
        message.ready.then_some(NotifyState::Ready),
        message.stopping.then_some(NotifyState::Stopping),
        text.as_deref().map(NotifyState::Status),
        message
            .extend
            .map(|span| NotifyState::ExtendTimeoutUsec(microseconds(span))),
        message.watchdog.then_some(NotifyState::Watchdog),
    ];
    let _ = sd_notify::notify(&parts.into_iter().flatten().collect::<Vec<_>>());
}

/// Hands a file to systemd's file descriptor store.
pub(crate) fn store(name: &str, file: BorrowedFd<'_>) {
    let _ = sd_notify::notify_with_fds(&[NotifyState::FdStore, NotifyState::FdName(name)], &[file]);
}

/// Whether systemd expects `WATCHDOG=1` of this process.
pub(crate) fn watchdog_expected() -> bool {
    sd_notify::watchdog_enabled().is_some()
}

fn microseconds(span: Millis) -> u32 {
    u32::try_from(span.saturating_mul(1_000)).unwrap_or(u32::MAX)
}
