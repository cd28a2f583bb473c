//! Signal masks and dispositions, signal(7): what the shim blocks, what the app must not inherit, and how the shim dies
//! of the same signal as its app. The only file that may touch dispositions.
#![allow(unsafe_code)]

use std::process::ExitCode;

use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, raise};

use crate::machine::Exit;

/// Signals the loop reads from its signalfd(2).
pub(crate) fn ours() -> SigSet {
    use Signal::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
    [SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH]
        .into_iter()
        .collect()
}

/// Keeps the app, whose account is ours, out of our memory and away from our descriptors: ptrace(2), `/proc/PID/mem`,
/// `/proc/PID/fd`, `pidfd_getfd(2)`. The file that ships may not be read by the account, so that this holds from the first
/// instruction on. execve(2) of the app undoes it there.
pub(crate) fn shut() {
    // Cannot fail: the argument is valid.
    let _ = prctl::set_dumpable(false);
}

/// A clean slate for the app: nothing blocked, nothing ignored.
pub(crate) fn reset() {
    // All there are, the real-time ones too; those that cannot be changed refuse.
    (1..=libc::SIGRTMAX()).for_each(default);
    // Cannot fail: the set is valid.
    let _ = SigSet::empty().thread_set_mask();
}

/// Ends the shim the way the app ended, so that systemd's record tells the truth.
pub(crate) fn end_as(exit: Exit) -> ExitCode {
    let number = match exit {
        Exit::Code(code) => return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        Exit::Signal(number) => number,
    };
    if let Ok(each) = Signal::try_from(number) {
        // The app's own core is the one worth having.
        shut();
        default(number);
        let _ = SigSet::from(each).thread_unblock();
        let _ = raise(each);
    }
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}

fn default(number: i32) {
    // SAFETY: the default action runs no code of this process, and there is only one thread.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}
