//! An archive, from a file or standard input: unpacked by a process of its own that is not root, in a directory that is
//! nobody else's.

use std::fs::File;
use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use appctl::host::accounts;
use appctl::host::files::FileError;
use appctl::host::session;
use appctl::host::tree::Ignore;
use appctl::observe::journal::without_colours;
use appctl::release::Sort;
use appctl::spec::AppSpec;
use nix::fcntl::OFlag;
use nix::unistd::{Gid, Uid};
use serde_json::Value;

use super::super::partial::Partial;
use super::super::site::Site;
use super::super::{Progress, explain};
use super::Intake;
use crate::exit::{Exit, ExpectedError};
use crate::step_down::Account;

/// Who unpacks for apps that have no account of their own.
const UNPACKER: &str = "appctl-unpack";

pub(super) async fn file(site: &Site<'_>, path: &Path, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    let refuse = |why: String| {
        let help = "name a directory, or a tar archive: plain, or compressed with gzip or zstd";
        explain::source(format!("{} {why}", path.display()), help)
    };
    // O_NONBLOCK: opening a fifo would wait for its writer.
    let opened = File::options()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path);
    let file = opened.map_err(|error| refuse(format!("cannot be read: {error}")))?;
    if !file.metadata()?.is_file() {
        return Err(refuse("is neither a directory nor a regular file".to_owned()));
    }
    tell(Progress::Step(format!("unpack {}", path.display())));
    let intake = unpack(site, Stdio::from(file), Sort::Tarball).await?;
    let source = std::path::absolute(path)?.display().to_string();
    Ok(Intake { source, ..intake })
}

pub(super) async fn stdin(site: &Site<'_>, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    if std::io::stdin().is_terminal() {
        let help = format!("type: … | sudo appctl deploy {} -", site.app());
        let message = "standard input is a terminal, and an archive is expected";
        return Err(ExpectedError::new(Exit::USAGE, message).help(help).into());
    }
    tell(Progress::Step("unpack what comes on standard input".to_owned()));
    let intake = unpack(site, Stdio::inherit(), Sort::Stdin).await?;
    let source = "-".to_owned();
    Ok(Intake { source, ..intake })
}

async fn unpack(site: &Site<'_>, archive: Stdio, kind: Sort) -> anyhow::Result<Intake> {
    let partial = Partial::new(site.layout().intake(site.app()));
    let account = account(site)?;
    make(partial.path(), account)?;
    let bounds = site.bounds();
    let mut command = tokio::process::Command::new("/proc/self/exe");
    command.arg("unpack").args(account.arguments());
    command
        .arg(format!("--max-size={}", bounds.bytes))
        .arg(format!("--max-files={}", bounds.entries));
    command
        .current_dir(partial.path())
        .stdin(archive)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    session::isolate(command.as_std_mut());
    let output = command.spawn()?.wait_with_output().await?;
    if !output.status.success() {
        let said = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let unsaid = || {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let last = without_colours(stderr.lines().next_back().unwrap_or_default());
            anyhow::anyhow!("unpacking ended with {}: {last}", output.status)
        };
        return Err(failure(&said, site).unwrap_or_else(unsaid));
    }
    close(partial.path(), account)?;
    let directory = top(partial.path(), site.spec);
    Ok(Intake {
        ignore: Ignore::nothing(),
        _unpacked: Some(partial),
        ..Intake::of(kind, directory)
    })
}

/// The app's own account; a dedicated one when it has none, or is root.
fn account(site: &Site<'_>) -> anyhow::Result<Account> {
    if site.context.layout.is_moved() {
        return Ok(Account { uid: None, gid: None });
    }
    let own = site.account.filter(|owner| !owner.user.is_root());
    let (user, group) = match own {
        Some(owner) => (owner.user, owner.group),
        None => unpacker()?,
    };
    Ok(Account {
        uid: Some(user.as_raw()),
        gid: Some(group.as_raw()),
    })
}

fn unpacker() -> anyhow::Result<(Uid, Gid)> {
    let missing = || {
        let error = ExpectedError::new(Exit::FAILED, format!("there is no user {UNPACKER:?}"));
        error.help("the package makes it; type: sudo systemd-sysusers")
    };
    let ids = accounts::user(UNPACKER)?.ok_or_else(missing)?;
    Ok((ids.user, ids.group))
}

fn make(directory: &Path, account: Account) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder
        .mode(0o700)
        .create(directory)
        .map_err(FileError::io("make", directory))?;
    std::os::unix::fs::chown(directory, account.uid, account.gid).map_err(FileError::io("give away", directory))?;
    Ok(())
}

/// From now on root's alone: another process of that account could put a link in the place of what is copied from here.
fn close(directory: &Path, account: Account) -> anyhow::Result<()> {
    let root = account.uid.map(|_| 0);
    std::os::unix::fs::lchown(directory, root, root).map_err(FileError::io("take back", directory))?;
    Ok(())
}

fn failure(said: &Value, site: &Site<'_>) -> Option<anyhow::Error> {
    let message = said["message"].as_str()?;
    let app = site.app();
    let error = if said["full"] == true {
        let help = format!("nothing was changed; appctl prune {app} removes old releases");
        ExpectedError::new(Exit::FAILED, message).help(help)
    } else if said["invalid"] == true {
        let help = "nothing was changed; tar --create --file app.tar -C DIRECTORY . makes one that works";
        ExpectedError::new(Exit::INVALID_CONFIG, message).help(help)
    } else {
        ExpectedError::new(Exit::FAILED, message).help("nothing was changed")
    };
    Some(error.into())
}

/// Archives of a directory often hold just that directory: `package` of npm-pack(1), `app-1.2.3` of a download. The app is
/// what is in it, unless the app's command says otherwise.
fn top(unpacked: &Path, spec: &AppSpec) -> PathBuf {
    let entries = std::fs::read_dir(unpacked).into_iter().flatten().flatten();
    let mut entries = entries.take(2);
    let (Some(only), None) = (entries.next(), entries.next()) else {
        return unpacked.to_owned();
    };
    let name = only.file_name().to_string_lossy().into_owned();
    let mut words = spec.exec.iter().chain(spec.deploy.build.iter().flatten());
    let named = words.any(|word| Path::new(word.trim_start_matches("./")).starts_with(&name));
    // Not through a link: the type is the entry's own.
    if named || !only.file_type().is_ok_and(|kind| kind.is_dir()) {
        return unpacked.to_owned();
    }
    unpacked.join(name)
}
