//! `appctl-shim cooldown COMMAND`, of `NAME.retry@.service`: a start that failed before any shim could keep count must
//! not be repeated at once for ever. Decides by `$MONITOR_EXIT_CODE` and `$MONITOR_EXIT_STATUS`, systemd.exec(5).

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::time::Duration;

use appctl::contract::exit_status;
use appctl::contract::shim_args::Usage;

use crate::log;
use crate::machine::Level;
use crate::run;

const PAUSE: Duration = Duration::from_secs(1);

/// Waits and becomes the command when another start makes sense; ends at once when none does.
pub(crate) fn cooldown(mut words: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(program) = words.next() else {
        return run::usage(&Usage::Shape);
    };
    let read = |key| std::env::var(key).unwrap_or_default();
    if !is_worth(&read("MONITOR_EXIT_CODE"), &read("MONITOR_EXIT_STATUS")) {
        return ExitCode::SUCCESS;
    }
    std::thread::sleep(PAUSE);
    let error = Command::new(&program).args(words).exec();
    log::line(Level::Error, &format!("cannot run {}: {error}", program.display()));
    ExitCode::FAILURE
}

/// Also a stop that took too long is a failure; that unit is to stay down.
fn is_worth(code: &str, status: &str) -> bool {
    code == "exited" && status.parse().is_ok_and(exit_status::may_pass)
}

#[cfg(test)]
mod tests {
    use appctl::contract::exit_status::uncounted;

    use super::is_worth;

    #[test]
    fn only_failures_that_no_shim_counted_and_that_may_pass_are_worth_another_start() {
        for status in ["200", "226", "245", "64", "71"] {
            assert!(is_worth("exited", status), "{status}");
        }
        for (code, status) in [
            ("exited", "0"),
            ("exited", "1"),
            ("exited", "203"),
            ("exited", "217"),
            ("exited", "246"),
            ("killed", "KILL"),
            ("", ""),
            ("killed", "226"),
        ] {
            assert!(!is_worth(code, status), "{code} {status}");
        }
    }

    #[test]
    fn the_unit_names_the_same_ones() {
        let unit = include_str!("../../../tests/generator/01-basic/expected-257/myapp@.service");
        let line = unit
            .lines()
            .find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
        let named: Vec<i32> = line
            .expect("a line")
            .split(' ')
            .map(|status| status.parse().expect("a number"))
            .collect();
        let ours: Vec<i32> = uncounted().map(i32::from).collect();
        assert_eq!(named, ours);
    }
}
