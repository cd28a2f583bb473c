//! Whether systemd will find the program: its services have a `PATH` of their own, which knows nothing of a login shell.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use appctl::host::tree::{Kind, TreeError, kind};

use crate::exit::{Exit, ExpectedError};

/// `PATH` of services, systemd.exec(5).
const SERVICE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Refuses a program that is not there. `env` may hold another `PATH`; `directory` is where the app will run, and `mode` looks at what is
/// there.
pub(super) fn check(
    program: &str,
    env: &[(String, String)],
    directory: &Path,
    mode: impl FnOnce(&Path) -> Result<Option<u32>, TreeError>,
) -> Result<(), ExpectedError> {
    if program.contains('/') {
        return by_path(program, directory, mode);
    }
    let path = env
        .iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map_or(SERVICE_PATH, |(_, value)| value);
    if search(program, path).is_some() {
        return Ok(());
    }
    let error = ExpectedError::new(
        Exit::INVALID_CONFIG,
        format!("there is no program {program:?} in {path}"),
    );
    Err(error.help(match elsewhere(program) {
        Some(found) => format!(
            "only your shell finds {}; write its absolute path (the app's user must be able to read it), or install \
                {program} for all users",
            found.display()
        ),
        None => format!("install {program}, or write the absolute path of the program with --exec"),
    }))
}

fn by_path(
    program: &str,
    directory: &Path,
    mode: impl FnOnce(&Path) -> Result<Option<u32>, TreeError>,
) -> Result<(), ExpectedError> {
    // `join` leaves an absolute path as it is.
    let path = directory.join(program);
    let found = if program.starts_with('/') {
        std::fs::metadata(&path)
            .map(|metadata| Some(metadata.permissions().mode()))
            .map_err(|error| error.to_string())
    } else {
        mode(Path::new(program)).map_err(|error| error.to_string())
    };
    let why = match found {
        Err(why) => why,
        Ok(None) => "it does not exist".to_owned(),
        Ok(Some(mode)) if kind(mode) != Kind::File => "it is not a file".to_owned(),
        Ok(Some(mode)) if mode & 0o111 == 0 => "its mode lets no account execute it".to_owned(),
        Ok(Some(_)) => return Ok(()),
    };
    let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("{} cannot be run: {why}", path.display()));
    Err(error.help("set what to run with --exec, or make the file executable with chmod +x"))
}

fn search(program: &str, path: &str) -> Option<PathBuf> {
    let candidates = path
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(program));
    candidates.into_iter().find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Where the operator's own shell would find it; sudo(8) hides that, so nvm's usual place is looked at too.
fn elsewhere(program: &str) -> Option<PathBuf> {
    let own = std::env::var("PATH").ok().and_then(|path| search(program, &path));
    own.or_else(|| {
        let user = nix::unistd::User::from_name(&std::env::var("SUDO_USER").ok()?).ok()??;
        let versions = std::fs::read_dir(user.dir.join(".nvm/versions/node")).ok()?;
        versions
            .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(program)))
            .find(|file| is_program(file))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use std::path::Path;

    #[test]
    fn programs_are_looked_for_where_systemd_looks() {
        let look = |program: &str, env: &[(String, String)]| check(program, env, Path::new("/srv"), |_| Ok(None));
        assert!(look("sh", &[]).is_ok());
        let error = look("no-such-interpreter", &[]).expect_err("unknown");
        assert!(error.message.contains("no-such-interpreter"));
        assert!(look("sh", &[("PATH".to_owned(), "/nonexistent".to_owned())]).is_err());
        assert!(look("/bin/sh", &[]).is_ok());
        assert!(look("./run.sh", &[]).is_err());
    }
}
