//! `appctl can-read`, hidden: becomes an account for good and says which part of a path it cannot read. Another process,
//! because credentials belong to the whole process and there is no way back.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use appctl::host::{files, session};
use nix::unistd::{Gid, Uid, User};

use crate::exit::Exit;

/// What `can-read` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Become this user; nobody when none is given
    #[arg(long)]
    user: Option<String>,

    /// Be a member of this group, a number
    #[arg(long)]
    group: u32,

    /// Print the file instead
    #[arg(long)]
    print: bool,

    /// Absolute path of a directory, or of a file
    path: PathBuf,
}

/// `nobody`, who owns nothing.
pub(crate) const NOBODY: u32 = 65534;

/// Asks a new process. `None` when the account can read everything on the way and the directory itself.
pub(crate) fn first_unreadable(user: Option<&str>, group: Gid, path: &Path) -> anyhow::Result<Option<PathBuf>> {
    let mut command = Command::new("/proc/self/exe");
    command.arg("can-read").arg(format!("--group={group}"));
    command.args(user.map(|user| format!("--user={user}")));
    command.arg("--").arg(path).stdin(Stdio::null());
    let output = session::isolate(&mut command).output()?;
    anyhow::ensure!(
        output.status.success(),
        "cannot find out who can read {}: {}: {}",
        path.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    let answer = OsString::from_vec(output.stdout);
    Ok(Some(answer).filter(|answer| !answer.is_empty()).map(PathBuf::from))
}

/// The text of a file as an account sees it; the error is what keeps it from that.
pub(crate) fn read(user: Option<&str>, group: Gid, path: &Path) -> anyhow::Result<Result<String, String>> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["can-read", "--print"]).arg(format!("--group={group}"));
    command.args(user.map(|user| format!("--user={user}")));
    command.arg("--").arg(path).stdin(Stdio::null());
    let output = session::isolate(&mut command).output()?;
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    if !output.status.success() {
        return Ok(Err(said.trim_start_matches("error: ").to_owned()));
    }
    Ok(String::from_utf8(output.stdout).map_err(|_| format!("{} is not UTF-8 text", path.display())))
}

/// As it is: nothing of it goes to a terminal.
fn print(path: &Path) -> anyhow::Result<Exit> {
    // Links are the account's own matter here.
    let text = files::read_config(
        &path
            .canonicalize()
            .with_context(|| format!("cannot read {}", path.display()))?,
    )?;
    crate::ui::answer(text.as_bytes())?;
    Ok(Exit::DONE)
}

/// Runs the verb: prints the first part of the path that cannot be read, or nothing.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    become_user(args.user.as_deref(), Gid::from_raw(args.group)).context("cannot change to the account")?;
    if args.print {
        return print(&args.path);
    }
    if let Some(part) = blocked_at(&args.path) {
        crate::ui::answer(part.as_os_str().as_bytes())?;
    }
    Ok(Exit::DONE)
}

fn become_user(user: Option<&str>, group: Gid) -> anyhow::Result<()> {
    let uid = if let Some(name) = user {
        let found = User::from_name(name)?.context("no such user")?;
        nix::unistd::initgroups(&CString::new(name)?, group)?;
        found.uid
    } else {
        nix::unistd::setgroups(&[group])?;
        Uid::from_raw(NOBODY)
    };
    nix::unistd::setresgid(group, group, group)?;
    Ok(nix::unistd::setresuid(uid, uid, uid)?)
}

/// Directories on the way must be searchable, the last one readable.
fn blocked_at(path: &Path) -> Option<&Path> {
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    let closed = parts.iter().find(|part| part.join(".").metadata().is_err());
    closed
        .copied()
        .or_else(|| std::fs::read_dir(path).is_err().then_some(path))
}

#[cfg(test)]
mod tests {
    use super::blocked_at;
    use std::path::Path;

    #[test]
    fn names_the_part_where_it_ends() {
        let folder = tempfile::tempdir().expect("a directory");
        assert_eq!(blocked_at(folder.path()), None);
        assert_eq!(
            blocked_at(&folder.path().join("gone/app")),
            Some(folder.path().join("gone").as_path())
        );
        assert_eq!(
            blocked_at(Path::new("/etc/hostname/x")),
            Some(Path::new("/etc/hostname"))
        );
    }
}
