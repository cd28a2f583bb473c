//! `appctl-shim cooldown`, run by `ExecStopPost=`: a start that failed before any shim could keep count must not be
//! repeated at once for ever. Decides by `$EXIT_CODE` and `$EXIT_STATUS`, systemd.exec(5).

use std::process::ExitCode;
use std::time::Duration;

use crate::run::EX_USAGE;

const PAUSE: Duration = Duration::from_secs(1);

/// Sleeps when there was no shim, or one that could not read its command line.
pub(crate) fn cooldown() -> ExitCode {
    let read = |key| std::env::var(key).unwrap_or_default();
    if needs_pause(&read("EXIT_CODE"), &read("EXIT_STATUS")) {
        std::thread::sleep(PAUSE);
    }
    ExitCode::SUCCESS
}

/// 200 to 245 are systemd's own: no such user, no such program, namespace, limits.
fn needs_pause(code: &str, status: &str) -> bool {
    let number = status.parse::<u8>();
    code == "exited" && number.is_ok_and(|status| (200..=245).contains(&status) || status == EX_USAGE)
}

#[cfg(test)]
mod tests {
    use super::needs_pause;

    #[test]
    fn only_failures_that_no_shim_counted_need_a_pause() {
        for status in ["200", "203", "217", "226", "245", "64"] {
            assert!(needs_pause("exited", status), "{status}");
        }
        for (code, status) in [
            ("exited", "0"),
            ("exited", "1"),
            ("exited", "246"),
            ("killed", "TERM"),
            ("", ""),
            ("killed", "203"),
        ] {
            assert!(!needs_pause(code, status), "{code} {status}");
        }
    }
}
