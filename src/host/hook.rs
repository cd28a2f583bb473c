//! Runs a command of the operator's as root: the program itself, no shell, a fixed environment, nothing to read, a time
//! limit for it and for what it started. Never a program that someone else could have put there.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use super::session;

/// Where such a program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of what it said last is told.
const TAIL: u64 = 2048;

/// A command that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Someone but root could change the program.
    #[error("{0} belongs to someone else, or can be written by others, and would run as root")]
    Unsafe(String),
    /// It could not be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It said that it failed.
    #[error("{program} ended with {status}{said}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said last, behind a colon.
        said: String,
    },
    /// It did not end in time, and was killed with everything it had started.
    #[error("{program} took longer than {} s", limit.as_secs_f64())]
    TooLong {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
}

/// Runs one command with these variables to its end. A child that is still there after the limit is killed with its group.
pub async fn run(argv: &[String], variables: &[(&str, String)], limit: Duration) -> Result<(), HookError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Ok(());
    };
    let broken = |source| HookError::Run {
        program: program.clone(),
        source,
    };
    let real = refuse_foreign(program)?;
    let mut said = tempfile::tempfile().map_err(broken)?;
    let output = || said.try_clone().map(Stdio::from);
    let mut command = Command::new(real);
    command
        .arg0(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .envs(variables.iter().cloned());
    command.current_dir("/").stdin(Stdio::null());
    session::isolate(command.as_std_mut());
    let mut child = command
        .stdout(output().map_err(broken)?)
        .stderr(output().map_err(broken)?)
        .spawn()
        .map_err(broken)?;
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    let Ok(status) = tokio::time::timeout(limit, child.wait()).await else {
        // It may have ended this very moment.
        _ = group.map(|group| killpg(Pid::from_raw(group), Signal::SIGKILL));
        _ = child.wait().await;
        let program = program.clone();
        return Err(HookError::TooLong { program, limit });
    };
    let status = status.map_err(broken)?;
    if status.success() {
        return Ok(());
    }
    let said = tail(&mut said);
    let program = program.clone();
    Err(HookError::Failed { program, status, said })
}

/// The program behind all links, and every directory on the way to it.
fn refuse_foreign(program: &str) -> Result<PathBuf, HookError> {
    let broken = |source| HookError::Run {
        program: program.to_owned(),
        source,
    };
    let real = Path::new(program).canonicalize().map_err(broken)?;
    for place in real.ancestors() {
        let metadata = std::fs::metadata(place).map_err(broken)?;
        // Others may write in /tmp, but not rename what is root's there.
        let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if !(metadata.uid() == 0 || is_ours(metadata.uid())) || (metadata.mode() & 0o022 != 0 && !sticky) {
            return Err(HookError::Unsafe(place.display().to_string()));
        }
    }
    Ok(real)
}

/// Whoever is not root runs nothing as root.
fn is_ours(uid: u32) -> bool {
    let own = nix::unistd::geteuid();
    !own.is_root() && own.as_raw() == uid
}

fn tail(said: &mut std::fs::File) -> String {
    let length = said.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = Vec::new();
    let read = said
        .seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .and_then(|_| said.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    match (read, last) {
        (Ok(_), Some(line)) => format!(": {}", crate::observe::journal::without_colours(line)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{HookError, run};
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(20);

    fn play(argv: &[&str], limit: Duration) -> Result<(), HookError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        let variables = [("APPCTL_APP", "a".to_owned())];
        runtime.expect("a runtime").block_on(run(&argv, &variables, limit))
    }

    #[test]
    fn is_told_what_it_is_about_and_nothing_else() {
        play(
            &["/bin/sh", "-c", "test \"$APPCTL_APP\" = a && test -z \"$HOME\""],
            LONG,
        )
        .expect("it is set");
        let error = play(&["/bin/sh", "-c", "echo the balancer is away; exit 3"], LONG).expect_err("it fails");
        assert_eq!(
            error.to_string(),
            "/bin/sh ended with exit status: 3: the balancer is away"
        );
    }

    #[test]
    fn a_hook_that_hangs_is_killed_with_its_children() {
        let began = Instant::now();
        let error = play(&["/bin/sh", "-c", "sleep 300 & sleep 300"], Duration::from_millis(200));
        assert!(matches!(error, Err(HookError::TooLong { .. })), "{error:?}");
        assert!(began.elapsed() < LONG);
    }

    #[test]
    fn a_program_that_others_can_change_is_not_run() {
        let folder = tempfile::tempdir().expect("a directory");
        let program = folder.path().join("hook");
        std::fs::write(&program, "#!/bin/sh\n").expect("writable");
        for mode in [0o777, 0o775] {
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).expect("ours");
            let error = play(&[program.to_str().expect("text")], LONG);
            assert!(matches!(error, Err(HookError::Unsafe(_))), "{mode:o}: {error:?}");
        }
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("ours");
        play(&[program.to_str().expect("text")], LONG).expect("ours alone");
    }
}
