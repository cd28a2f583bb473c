//! How long the programs wait for each other, each longer than what it waits for, so that the one that fails can still say
//! why:
//!
//! 1. the shim keeps the app's own times, `ready.timeout` and `stop.timeout` of its file;
//! 2. systemd keeps the *limits*, which the generator writes into units;
//! 3. `appctl` waits for the *worst* that systemd may take, and gives up on systemd itself only then.

use std::time::Duration;

use crate::spec::AppSpec;

/// What systemd waits beyond the shim's own deadlines, in milliseconds: enough for the shim to end what failed and to
/// say so.
pub const GRACE_MS: u64 = 10_000;
/// The same, [`GRACE_MS`].
pub const GRACE: Duration = Duration::from_millis(GRACE_MS);
/// What the shim gives an app that did not become ready to end by itself, at most, in milliseconds.
pub const FAILED_MS: u64 = 5_000;
/// What the kernel may take to end a killed process before the shim leaves it to systemd, in milliseconds.
pub const REAP_MS: u64 = 5_000;
const _: () = assert!(
    FAILED_MS + REAP_MS <= GRACE_MS,
    "systemd would end a failed start before the shim"
);

/// An app may ask for more time to start (`EXTEND_TIMEOUT_USEC=`), up to this many times `ready.timeout` in all.
pub const LONGEST_START: u32 = 2;

/// `TimeoutStopSec=` of one command of a build or a release.
pub const TASK_STOP_LIMIT: Duration = Duration::from_secs(5);

/// What PID 1 and the bus may take beside what a unit takes: neither answers at once on a busy machine.
const MARGIN: Duration = Duration::from_secs(20);

/// `stop.timeout` of an app whose file can no longer be read.
const UNKNOWN_STOP: Duration = Duration::from_mins(10);

/// `TimeoutStartSec=` of an instance.
pub fn start_limit(spec: &AppSpec) -> Duration {
    spec.ready.timeout + GRACE
}

/// `TimeoutStopSec=` of an instance. systemd waits that long for the shim, and once more after its `SIGKILL`.
pub fn stop_limit(spec: &AppSpec) -> Duration {
    stop_limit_of(spec.stop.timeout)
}

/// `TimeoutStopSec=` of the app as a whole, whose stop waits for all instances at once.
pub fn app_stop_limit(spec: &AppSpec) -> Duration {
    app_stop_limit_of(spec.stop.timeout)
}

fn stop_limit_of(timeout: Duration) -> Duration {
    timeout + GRACE
}

fn app_stop_limit_of(timeout: Duration) -> Duration {
    2 * stop_limit_of(timeout) + GRACE
}

/// The longest stop of one instance.
pub fn worst_stop(spec: &AppSpec) -> Duration {
    2 * stop_limit(spec) + MARGIN
}

/// The longest start of an instance that is down or between two starts: the pause after crashes, all the time that the app
/// may ask for, and the stop that a failed start ends with. Its job is over only then.
pub fn worst_start(spec: &AppSpec) -> Duration {
    spec.restart.max_delay + LONGEST_START * spec.ready.timeout + GRACE + worst_stop(spec)
}

/// The longest restart of one instance.
pub fn worst_restart(spec: &AppSpec) -> Duration {
    worst_stop(spec) + worst_start(spec)
}

/// The longest stop of the app as a whole, or of any one of its units. `None` is an app whose file can no longer be read.
pub fn worst_app_stop(spec: Option<&AppSpec>) -> Duration {
    app_stop_limit_of(spec.map_or(UNKNOWN_STOP, |spec| spec.stop.timeout)) + MARGIN
}

/// The longest restart of the app as a whole.
pub fn worst_app_restart(spec: &AppSpec) -> Duration {
    worst_app_stop(Some(spec)) + worst_start(spec)
}

/// The longest stop of a slice: nothing is in it any more, and it has no limit of its own.
pub fn worst_slice_stop() -> Duration {
    MARGIN
}

/// The longest that one command takes which may run for `limit`, `TimeoutStartUSec=` of its unit.
pub fn worst_task(limit: Duration) -> Duration {
    limit + worst_task_stop()
}

/// The longest stop of such a command.
pub fn worst_task_stop() -> Duration {
    2 * TASK_STOP_LIMIT + MARGIN
}

/// A drain and the start after it, as long as an app keeps its own times: what an instance that is between two states may
/// take to the next one.
pub fn drain_and_start(spec: &AppSpec) -> Duration {
    spec.stop.timeout + spec.ready.timeout
}
