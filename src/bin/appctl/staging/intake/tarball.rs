//! An archive, from a file or standard input: unpacked by a process of its own that is not root, in a directory that is
//! nobody else's.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use appctl::host::files::FileError;
use appctl::host::session;
use appctl::observe::journal::without_colours;
use appctl::release::Sort;
use appctl::spec::{AppSpec, format_span};
use serde_json::Value;

use super::super::Progress;
use super::super::partial::Partial;
use super::super::site::Site;
use super::Intake;
use crate::account;
use crate::exit::{Exit, ExpectedError};
use crate::reading::Reader;
use crate::step_down::Account;

pub(super) async fn file(site: &Site<'_>, reader: Reader, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    let source = reader.path().display().to_string();
    let archive = reader.file().context("a file")?.try_clone()?;
    tell(Progress::Step(format!("unpack {source}")));
    let intake = unpack(site, Stdio::from(archive), Sort::Tarball).await?;
    Ok(Intake { source, ..intake })
}

pub(super) async fn stdin(site: &Site<'_>, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<Intake> {
    if std::io::stdin().is_terminal() {
        let help = format!("type: … | sudo appctl deploy {} -", site.app());
        let message = "standard input is a terminal, not an archive";
        return Err(ExpectedError::new(Exit::USAGE, message).help(help).into());
    }
    tell(Progress::Step("unpack standard input".to_owned()));
    let intake = unpack(site, Stdio::inherit(), Sort::Stdin).await?;
    let source = "-".to_owned();
    Ok(Intake { source, ..intake })
}

async fn unpack(site: &Site<'_>, archive: Stdio, kind: Sort) -> anyhow::Result<Intake> {
    let partial = Partial::new(site.paths().intake());
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
    let limit = site.spec.deploy.build_timeout;
    let unpacking = tokio::time::timeout(limit, command.spawn()?.wait_with_output());
    // When it is dropped, the process is killed.
    let output = unpacking.await.map_err(|_| too_long(limit))??;
    if !output.status.success() {
        let said = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let unsaid = || {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let last = without_colours(stderr.lines().next_back().unwrap_or_default());
            anyhow::anyhow!("unpacking failed with {}: {last}", output.status)
        };
        return Err(failure(&said, site).unwrap_or_else(unsaid));
    }
    let top = top(partial.path(), site.spec);
    let reader = Reader::given(site.context, partial.path(), top.as_deref(), bounds.bytes)?;
    Ok(Intake {
        _unpacked: Some(partial),
        ..Intake::of(kind, Arc::new(reader))
    })
}

/// The app's account. For an app that is root it is one that would be the app's, if it were not: no archive is unpacked
/// with root's rights, nor by an account that another app's archive is unpacked by.
fn account(site: &Site<'_>) -> anyhow::Result<Account> {
    let Some(own) = site.account else {
        return Ok(Account { uid: None, gid: None });
    };
    let owner = if own.user.is_root() {
        account::ensure(site.app())?.owner
    } else {
        own
    };
    Ok(Account {
        uid: Some(owner.user.as_raw()),
        gid: Some(owner.group.as_raw()),
    })
}

fn make(directory: &Path, account: Account) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder
        .mode(0o700)
        .create(directory)
        .map_err(FileError::io("create", directory))?;
    std::os::unix::fs::chown(directory, account.uid, account.gid)
        .map_err(FileError::io("change the owner of", directory))?;
    Ok(())
}

fn too_long(limit: Duration) -> ExpectedError {
    let message = format!("unpacking took longer than {}", format_span(limit));
    let help = "nothing was changed; raise build_timeout below [deploy] in the app's file";
    ExpectedError::new(Exit::FAILED, message).help(help)
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
fn top(unpacked: &Path, spec: &AppSpec) -> Option<OsString> {
    let entries = std::fs::read_dir(unpacked).into_iter().flatten().flatten();
    let mut entries = entries.take(2);
    let (Some(only), None) = (entries.next(), entries.next()) else {
        return None;
    };
    let name = only.file_name();
    let mut words = spec.exec.iter().chain(spec.deploy.build.iter().flatten());
    let named = words.any(|word| Path::new(word.trim_start_matches("./")).starts_with(&name));
    // Not through a link: the type is the entry's own.
    let directory = only.file_type().is_ok_and(|kind| kind.is_dir());
    (directory && !named).then_some(name)
}
