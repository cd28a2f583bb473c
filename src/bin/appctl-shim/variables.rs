//! Files of variables that are not root's alone: read here, as the app's own account, and never by PID 1.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use appctl::contract::shim_args::EnvFile;
use appctl::spec::variables;
use nix::fcntl::OFlag;

/// As of a configuration.
const LARGEST: u64 = 1 << 20;

/// What the files say, later ones last.
pub(crate) type Variables = Vec<(String, String)>;

fn read_one(file: &EnvFile) -> Result<Variables, String> {
    let problem = |what: &str| format!("env_file {} {what}", file.path.display());
    let text = match text(&file.path) {
        Err(error) if file.optional && error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(problem("does not exist")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(problem("is not readable for the app's user"));
        }
        Err(error) => return Err(problem(&format!("cannot be read: {error}"))),
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| problem("is not UTF-8 text"))?,
    };
    let mut all = variables::parse(&text);
    // What an instance is told about itself is no one else's to say.
    all.retain(|(name, value)| !variables::is_reserved(name) && !value.contains('\0'));
    Ok(all)
}

fn text(path: &Path) -> io::Result<Vec<u8>> {
    // O_NONBLOCK: opening a FIFO would wait for its writer.
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

/// All of them; the error is the first that the app would have to do without.
pub(crate) fn read(files: &[EnvFile]) -> Result<Variables, String> {
    let mut all = Vec::new();
    for file in files {
        all.extend(read_one(file)?);
    }
    Ok(all)
}

/// A variable as the app will see it.
pub(crate) fn get(own: &[(String, String)], name: &str) -> Option<OsString> {
    let own = own.iter().rev().find(|(known, _)| known == name);
    own.map(|(_, value)| value.into()).or_else(|| std::env::var_os(name))
}

#[cfg(test)]
mod tests {
    use appctl::contract::shim_args::read_env_file;

    use super::read;

    #[test]
    fn a_file_is_read_and_what_is_ours_is_not_taken_from_it() {
        let folder = std::env::temp_dir().join(format!("appctl-variables-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("writable");
        let place = folder.join("a.env");
        std::fs::write(&place, "A=1\nLISTEN_FDS=9\nA='2 3'\n").expect("writable");
        let file =
            |dash: &str, name: &str| read_env_file(&format!("{dash}{}/{name}", folder.display())).expect("a path");
        let pairs = [("A", "1"), ("A", "2 3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(&[file("-", "none"), file("", "a.env")]), Ok(pairs.to_vec()));
        let missing = read(&[file("", "none")]).expect_err("it must exist");
        assert!(missing.ends_with("none does not exist"), "{missing}");
        let directory = read_env_file(folder.to_str().expect("text")).expect("a path");
        assert!(read(&[directory]).is_err());
        std::fs::remove_dir_all(&folder).expect("ours");
    }
}
