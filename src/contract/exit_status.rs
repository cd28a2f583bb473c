//! Exit statuses that one program ends with and another reads: the shim's own, what the generator writes into units about
//! them, and those that systemd and shells give a meaning to. systemd.exec(5), sysexits.h.
//!
//! Those of `appctl` itself are for its user, and documented there.

use std::ops::RangeInclusive;

/// The shim's command line makes no sense: `EX_USAGE` of sysexits.h.
pub const USAGE: u8 = 64;
/// There is no such instance: `EX_NOINPUT` of sysexits.h.
pub const NO_INSTANCE: u8 = 66;
/// The kernel refused something a shim cannot do without: `EX_OSERR` of sysexits.h.
pub const OS_ERROR: u8 = 71;
/// The readiness deadline passed, or no process could be started: `EX_TEMPFAIL` of sysexits.h.
pub const NOT_NOW: u8 = 75;
/// The operator has to change something first: `EX_CONFIG` of sysexits.h.
pub const WRONG_CONFIG: u8 = 78;
/// As shells have it: the program is there and could not be run.
pub const NOT_RUN: u8 = 126;
/// As shells have it: there is no such program.
pub const NOT_FOUND: u8 = 127;

/// How an app ends that says of itself that SIGINT or SIGTERM ended it, which is no failure.
/// `SuccessExitStatus=` of the instance's unit.
pub const TOLD_TO_END: [u8; 2] = [130, 143];

/// What systemd ends a process with that it could not prepare.
pub const SYSTEMDS: RangeInclusive<u8> = 200..=245;
/// systemd could not run the program, `EXIT_EXEC`.
pub const EXEC: u8 = 203;
/// No such group, `EXIT_GROUP`.
const GROUP: u8 = 216;
/// No such user, `EXIT_USER`.
const USER: u8 = 217;
/// The runtime directory cannot be made, `EXIT_RUNTIME_DIRECTORY`.
const RUNTIME_DIRECTORY: u8 = 233;
/// The state directory cannot be made, `EXIT_STATE_DIRECTORY`.
const STATE_DIRECTORY: u8 = 238;

/// Statuses of an instance's unit that no shim has counted as a crash: the shim's own from before it could, and all of
/// systemd's. Rising. `RestartPreventExitStatus=` of the unit.
pub fn uncounted() -> impl Iterator<Item = u8> {
    [USAGE, NO_INSTANCE, OS_ERROR].into_iter().chain(SYSTEMDS)
}

/// Whether a status is [`uncounted`].
pub fn is_uncounted(status: i32) -> bool {
    u8::try_from(status).is_ok_and(|status| uncounted().any(|each| each == status))
}

/// Whether another start of an uncounted one may work by itself: not without the instance, the program, the account or the
/// directories, which an operator has to bring first.
pub fn may_pass(status: i32) -> bool {
    let lasting = [NO_INSTANCE, EXEC, GROUP, USER, RUNTIME_DIRECTORY, STATE_DIRECTORY];
    is_uncounted(status) && !lasting.map(i32::from).contains(&status)
}

/// The signal that an exit status stands for: a shell, and what runs others as it does, ends with 128 and the number of
/// the signal that killed its last command.
pub fn signal_of_status(status: i32) -> Option<i32> {
    Some(status - 128).filter(|signal| (1..=64).contains(signal))
}

#[cfg(test)]
mod tests {
    use super::{TOLD_TO_END, is_uncounted, may_pass, signal_of_status, uncounted};

    #[test]
    fn a_status_above_128_is_a_signal() {
        assert_eq!(
            [0, 1, 128, 159, 193, 255].map(signal_of_status),
            [None, None, None, Some(31), None, None]
        );
        let (sigint, sigterm) = (Some(2), Some(15));
        assert_eq!(
            TOLD_TO_END.map(|status| signal_of_status(status.into())),
            [sigint, sigterm]
        );
    }

    #[test]
    fn what_is_counted_is_everything_else() {
        let all: Vec<i32> = (-1..=256).filter(|status| is_uncounted(*status)).collect();
        let rising: Vec<i32> = uncounted().map(i32::from).collect();
        assert_eq!(all, rising);
        for status in [-1, 0, 1, 75, 78, 126, 127, 130, 143, 199, 246, 255] {
            assert!(!is_uncounted(status) && !may_pass(status), "{status}");
        }
    }

    #[test]
    fn only_what_needs_no_operator_may_pass() {
        assert!([200, 226, 245, 64, 71].into_iter().all(may_pass));
        assert!(![66, 203, 216, 217, 233, 238].into_iter().any(may_pass));
    }
}
