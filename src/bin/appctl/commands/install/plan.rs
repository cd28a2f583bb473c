//! What would be installed: decided and checked from the command line and the app's directory, before anything changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use appctl::host::files::{self, FileError};
use appctl::host::tree::TreeError;
use appctl::host::trusted;
use appctl::spec::{Adapter, AppSpec, EnvFile, Listen, NewApp, Sandbox, variables};

use super::discover::{self, Found};
use super::{Args, ReadyProof, account, environment, program, refuse};
use crate::apps::File;
use crate::commands::{access, check};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::names::Names;
use crate::reading::Reader;
use crate::trust;

/// A checked installation.
#[derive(Debug)]
pub(super) struct Plan {
    /// The app's directory, without links on the way.
    pub(super) directory: PathBuf,
    /// Who reads it.
    pub(super) reader: Arc<Reader>,
    /// What will be written.
    pub(super) toml: String,
    /// What that says.
    pub(super) spec: AppSpec,
    /// Where the command was found.
    pub(super) source: &'static str,
    /// What the operator should know.
    pub(super) notes: Vec<String>,
    /// What `appctl env` keeps of an earlier installation.
    pub(super) kept: Option<String>,
}

/// Most bytes of a file in the directory; the app's own bound is checked as well, once it is known.
const MOST: u64 = 8 << 30;

/// Decides and checks.
pub(super) fn make(args: &Args, context: &Context) -> anyhow::Result<Plan> {
    Names::look(&context.layout).refuse_new(&args.name, None)?;
    let reader = Reader::open(context, &args.directory, MOST).map_err(|error| unopened(&args.directory, error))?;
    let directory = directory(&args.directory, &reader)?;
    let env_file = args.env_file.as_deref().map(|file| env_file(args, file)).transpose()?;
    let port = environment::port(
        &args.listen,
        &args.env,
        env_file.as_ref().map(|(_, text)| text.as_str()),
    )?;
    let found = discover::command(args, &reader, port)?;
    refuse::root(args)?;
    let mut app = new_app(args, &found, env_file.map(|(path, _)| path), &directory);
    if args.listen.is_empty() && !args.no_listen && (is_node(args, context, &app)? || found.source == "Procfile") {
        app.listen = vec![Listen::Tcp { host: None, port }];
    }
    let (toml, spec) = checked(args, context, &app)?;
    let kept = files::read_config_if_any(&context.layout.of(&args.name).env_file()).unwrap_or_default();
    let spec = spec.with_variables(kept.as_deref().map(variables::parse).unwrap_or_default());
    program::check(&spec.exec[0], &spec.env, &directory, |path| reader.mode(path))?;
    check::refuse_conflicts(&check::conflicts(context, std::slice::from_ref(&spec))?)?;
    trust::refuse(context, std::slice::from_ref(&spec), Exit::INVALID_CONFIG)?;
    let mut notes = notes(args, &spec);
    notes.extend(trust::secrets(&spec.name, &app.env));
    if kept.is_some() {
        notes.push(format!(
            "variables kept from an earlier installation are set again; to see them: appctl env {}",
            args.name
        ));
    }
    Ok(Plan {
        directory,
        reader: Arc::new(reader),
        toml,
        spec,
        source: found.source,
        notes,
        kept,
    })
}

fn refuse(given: &Path, why: &str) -> ExpectedError {
    ExpectedError::new(Exit::INVALID_CONFIG, format!("{} {why}", given.display())).help("name the app's directory")
}

/// In the words of this verb, unless there is more to say.
fn unopened(given: &Path, error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(TreeError::Io { source, .. }) => refuse(given, &format!("cannot be opened: {source}")).into(),
        Some(TreeError::Special { .. }) => refuse(given, "is not a directory").into(),
        _ => error,
    }
}

fn directory(given: &Path, reader: &Reader) -> Result<PathBuf, ExpectedError> {
    if reader.file().is_some() {
        return Err(refuse(given, "is not a directory"));
    }
    let path = reader.path();
    match path.to_str() {
        Some(_) if path.parent().is_some() => Ok(path.to_owned()),
        Some(_) => Err(refuse(given, "is the root directory")),
        None => Err(refuse(given, "has a name that is not UTF-8 text")),
    }
}

/// Read as it will be read later: by root where it is root's alone, else with the app's rights.
fn env_file(args: &Args, given: &Path) -> anyhow::Result<(EnvFile, String)> {
    let path = std::path::absolute(given)?;
    let foreign = nix::unistd::geteuid().is_root() && !trusted::foreign([path.as_path()], true).is_empty();
    let text = if foreign {
        present(&path)?;
        let (user, group) = account::reader(args.user.as_deref(), args.group.as_deref())?;
        access::read(user, group, &path)?.map_err(|why| trust::unreadable(&path, user, &why))?
    } else {
        files::read_config(&path).map_err(|error| ExpectedError::unreadable(&error))?
    };
    Ok((EnvFile { path, optional: false }, text))
}

/// A path that another account can change is looked at, and not read, with root's rights.
fn present(path: &Path) -> Result<(), ExpectedError> {
    let there = std::fs::symlink_metadata(path).map_err(FileError::io("read", path));
    there.map(drop).map_err(|error| ExpectedError::unreadable(&error))
}

fn new_app(args: &Args, found: &Found, env_file: Option<EnvFile>, directory: &Path) -> NewApp {
    let mut env = found.start.env.clone();
    env.retain(|(name, _)| args.env.iter().all(|(given, _)| given != name));
    env.extend(args.env.iter().cloned());
    NewApp {
        exec: found.start.exec.clone(),
        instances: args.instances,
        user: args.user.clone(),
        group: args.group.clone(),
        listen: args.listen.clone(),
        directory: args.in_place.then(|| directory.to_owned()),
        env,
        env_files: env_file.into_iter().collect(),
    }
}

/// The parser knows which programs are Node.
fn is_node(args: &Args, context: &Context, app: &NewApp) -> Result<bool, ExpectedError> {
    let file = File::of(&args.name, context.layout.of(&args.name).wanted_file(), app.to_toml());
    Ok(file.valid()?.adapter == Adapter::Node)
}

fn checked(args: &Args, context: &Context, app: &NewApp) -> Result<(String, AppSpec), ExpectedError> {
    let toml = app.to_toml() + &args.ready.as_ref().map(ready_table).unwrap_or_default() + &sandbox(args)?.to_toml();
    let spec = File::of(&args.name, context.layout.of(&args.name).wanted_file(), toml.clone()).valid()?;
    Ok((toml, spec))
}

fn sandbox(args: &Args) -> Result<Sandbox, ExpectedError> {
    let absolute = |path: &PathBuf| match std::path::absolute(path) {
        Ok(path) if path.to_str().is_some() => Ok(path),
        _ => Err(ExpectedError::new(
            Exit::INVALID_CONFIG,
            format!("--write {} is not a path in UTF-8", path.display()),
        )),
    };
    Ok(Sandbox {
        level: args.sandbox,
        allow: args.allow.iter().copied().collect(),
        write: args.write.iter().map(absolute).collect::<Result<_, _>>()?,
    })
}

fn ready_table(proof: &ReadyProof) -> String {
    match proof {
        ReadyProof::Word(word) => format!("\n[ready]\nwhen = \"{word}\"\n"),
        ReadyProof::Path(path) => {
            let path = toml_edit::Value::from(path.as_str());
            format!("\n[ready]\nwhen = \"http\"\npath = {path}\n")
        }
    }
}

fn notes(args: &Args, spec: &AppSpec) -> Vec<String> {
    let mut notes = Vec::new();
    if spec.listen.is_empty() && !args.no_listen {
        notes.push("no port is held for it; if it listens on one, add --listen".to_owned());
    }
    let low = spec.listen.iter().find_map(|listen| match listen {
        Listen::Tcp { port, .. } if *port < 1024 => Some(*port),
        _ => None,
    });
    if let Some(port) = low {
        notes.push(format!(
            "systemd binds port {port}, so the app itself needs no privilege"
        ));
    }
    if args.in_place {
        notes.push(
            "it runs in place: a changed file takes effect at the next restart, and there is no release to go back to"
                .to_owned(),
        );
    }
    notes
}
