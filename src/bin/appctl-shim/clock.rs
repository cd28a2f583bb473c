//! The one clock of the shim: `CLOCK_BOOTTIME`, so that what one shim noted means something to the next.

use appctl::contract::Millis;
use nix::time::ClockId;

/// Milliseconds since boot.
pub(crate) fn now() -> Millis {
    let time = ClockId::CLOCK_BOOTTIME
        .now()
        .map_or(std::time::Duration::ZERO, std::time::Duration::from);
    Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX)
}
