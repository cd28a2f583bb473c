//! `appctl-shim exec [--fds=N,…] [--channel=N] [--read-env-file=FILE] -- PROGRAM [ARGUMENT…]`: the last step before the app, in the app's own
//! process, because only there its pid is known: sockets to 3.., `LISTEN_PID`, a clean signal state, execve(2). No shell,
//! not even the one that execvp(3) falls back to.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use appctl::contract::exit_status::{NOT_FOUND, NOT_RUN};
use appctl::contract::shim_args::{EnvFile, Usage, read_env_file};
use nix::errno::Errno;
use nix::unistd::{AccessFlags, access, execve};

use crate::machine::Level;
use crate::variables;
use crate::{dispositions, fds, log, run};

/// systemd's own default, systemd.exec(5).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the shim asks for.
#[derive(Default)]
struct Order {
    fds: Vec<RawFd>,
    /// Node's IPC channel.
    channel: Option<RawFd>,
    /// For a command that is no instance: files that PID 1 must not read.
    env_files: Vec<EnvFile>,
    argv: Vec<OsString>,
}

/// Becomes the app; returns only when that failed.
pub(crate) fn exec(words: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(order) = read(words) else {
        return run::usage(&Usage::Shape);
    };
    let placed = fds::place(&order.fds).and_then(|()| fds::keep_only(order.fds.len(), order.channel));
    if let Err(error) = placed {
        log::line(Level::Error, &format!("cannot pass the sockets on: {error}"));
        return ExitCode::from(NOT_RUN);
    }
    dispositions::reset();
    let variables = match variables::read(&order.env_files) {
        Ok(variables) => variables,
        Err(problem) => {
            log::line(Level::Error, &problem);
            return ExitCode::from(NOT_RUN);
        }
    };
    let Some(program) = find(&order.argv[0], variables::get(&variables, "PATH").as_deref()) else {
        log::line(Level::Error, &not_found(&order.argv[0]));
        return ExitCode::from(NOT_FOUND);
    };
    let error = become_it(&program, &order, &variables);
    log::line(Level::Error, &not_run(&program, error));
    ExitCode::from(NOT_RUN)
}

fn read(mut words: impl Iterator<Item = OsString>) -> Option<Order> {
    let mut order = Order::default();
    for word in words.by_ref().take_while(|word| word.as_bytes() != b"--") {
        match word.to_str()?.split_once('=')? {
            ("--fds", list) => {
                let numbers = list.split(',').filter(|number| !number.is_empty());
                order.fds = numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?;
            }
            ("--read-env-file", file) => order.env_files.push(read_env_file(file)?),
            ("--channel", number) => order.channel = Some(number.parse().ok()?),
            _ => return None,
        }
    }
    order.argv = words.collect();
    (!order.argv.is_empty()).then_some(order)
}

fn become_it(program: &Path, order: &Order, variables: &[(String, String)]) -> Errno {
    let argv: Option<Vec<_>> = order
        .argv
        .iter()
        .map(|word| CString::new(word.as_bytes()).ok())
        .collect();
    let program = CString::new(program.as_os_str().as_bytes()).ok();
    let (Some(argv), Some(program)) = (argv, program) else {
        return Errno::EINVAL;
    };
    match execve(&program, &argv, &environment(order.fds.len(), variables)) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn environment(sockets: usize, variables: &[(String, String)]) -> Vec<CString> {
    let mut own: Vec<(&str, OsString)> = Vec::new();
    for (name, value) in variables {
        own.retain(|(known, _)| known != name);
        own.push((name, value.into()));
    }
    if sockets > 0 {
        own.push(("LISTEN_PID", std::process::id().to_string().into()));
        own.push(("LISTEN_FDS", sockets.to_string().into()));
    }
    let inherited = std::env::vars_os().filter(|(name, _)| own.iter().all(|(taken, _)| name != taken));
    let all = inherited.chain(own.iter().map(|(name, value)| (OsString::from(name), value.clone())));
    let joined = all.map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    joined.filter_map(|pair| CString::new(pair).ok()).collect()
}

/// The program's path, looked up as execvp(3) does.
fn find(name: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        let named = PathBuf::from(name);
        return named.exists().then_some(named);
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let places = path
        .as_bytes()
        .split(|byte| *byte == b':')
        .filter(|place| !place.is_empty());
    let mut candidates = places.map(|place| Path::new(OsStr::from_bytes(place)).join(name));
    candidates.find(|candidate| candidate.is_file() && access(candidate, AccessFlags::X_OK).is_ok())
}

fn not_found(name: &OsStr) -> String {
    let shown = name.to_string_lossy();
    if shown.contains('/') {
        format!("program {shown} not found")
    } else {
        format!("program {shown} not found in PATH")
    }
}

fn not_run(program: &Path, error: Errno) -> String {
    let shown = program.display();
    match error {
        Errno::ENOENT => format!("program {shown}: the interpreter in its first line does not exist"),
        Errno::ENOEXEC => format!("program {shown} is neither a binary nor a script with a #! line"),
        Errno::EACCES => format!("program {shown} is not executable for the app's user"),
        _ => format!("program {shown} cannot be run: {}", error.desc()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::PathBuf;

    use super::find;

    #[test]
    fn a_bare_name_is_looked_up_and_a_path_is_taken_as_it_is() {
        let path = Some(OsStr::new("/nowhere::/bin:/usr/bin"));
        assert_eq!(find(OsStr::new("sh"), path), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find(OsStr::new("no-such-program"), path), None);
        assert_eq!(
            find(OsStr::new("/etc/passwd"), path),
            Some(PathBuf::from("/etc/passwd"))
        );
        assert_eq!(find(OsStr::new("./no-such-program"), path), None);
        assert_eq!(
            find(OsStr::new("passwd"), Some(OsStr::new("/etc"))),
            None,
            "not executable"
        );
    }
}
