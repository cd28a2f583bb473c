//! Signals that end this process.

#![allow(unsafe_code)]

use nix::sys::signal::{SigHandler, Signal, raise, signal};

/// Signals that the parent of this process wants it to ignore, as nohup(1) does with SIGHUP.
pub fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    crate::observe::process::ignores(&status, signal as i32)
}

/// Ends this process as a signal does that nothing has caught, so that its parent sees which it was.
pub fn end_by(number: Signal) {
    // SAFETY: the default action runs no code of this process.
    let default = unsafe { signal(number, SigHandler::SigDfl) };
    // What is left, should it fail, is for the caller: an exit status.
    let _ = default.and_then(|_| raise(number));
}
