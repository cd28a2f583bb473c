//! Finds what to run in an app's directory: `--exec`, `--`, `Procfile`, `package.json`, or a well-known file.

use std::path::Path;

use appctl::host::tree::{Kind, kind};
use appctl::spec::split_words;

use super::Args;
use super::command_line::Start;
use super::{package_json, procfile};
use crate::exit::{Exit, ExpectedError};
use crate::reading::Reader;

/// What runs, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) start: Start,
    /// For the summary: `package.json`, `--exec` …
    pub(super) source: &'static str,
}

const WELL_KNOWN: [&str; 3] = ["index.js", "server.js", "app.js"];

/// What to run in `directory`; `port` is the one the app will be given.
pub(super) fn command(args: &Args, reader: &Reader, port: u16) -> anyhow::Result<Found> {
    if let Some(found) = typed(args)? {
        return Ok(found);
    }
    let found = match from_procfile(reader, port)? {
        None => from_package(reader)?,
        found => found,
    };
    if let Some(found) = found {
        return Ok(found);
    }
    well_known(reader)?.ok_or_else(|| nothing_to_run(reader).into())
}

fn typed(args: &Args) -> Result<Option<Found>, ExpectedError> {
    let (exec, source) = match &args.exec {
        Some(line) => {
            let words = split_words(line).map_err(|error| {
                ExpectedError::new(Exit::USAGE, format!("--exec cannot be split into words: {error}"))
                    .help(error.kind.help())
            })?;
            (words, "--exec")
        }
        None => (args.argv.clone(), "--"),
    };
    match (exec.is_empty(), args.exec.is_some()) {
        (true, true) => Err(ExpectedError::new(Exit::USAGE, "--exec is empty")),
        (true, false) => Ok(None),
        (false, _) => Ok(Some(Found {
            start: Start { exec, env: Vec::new() },
            source,
        })),
    }
}

fn from_procfile(reader: &Reader, port: u16) -> anyhow::Result<Option<Found>> {
    let Some(text) = reader.text("Procfile")? else {
        return Ok(None);
    };
    let start = procfile::web(&text, port).map_err(|error| {
        let message = format!("the web: line of Procfile cannot be run: {error}");
        ExpectedError::new(Exit::INVALID_CONFIG, message).help("set what to run with --exec, and variables with --env")
    })?;
    Ok(start.map(|start| Found {
        start,
        source: "Procfile",
    }))
}

fn from_package(reader: &Reader) -> anyhow::Result<Option<Found>> {
    let path = reader.path().join("package.json");
    let Some(text) = reader.text("package.json")? else {
        return Ok(None);
    };
    let start = package_json::start(&text).map_err(|error| {
        let message = format!("{}:{}:{}: {error}", path.display(), error.line(), error.column());
        ExpectedError::new(Exit::INVALID_CONFIG, message).help("correct it, or set what to run with --exec")
    })?;
    Ok(start.map(|start| Found {
        start,
        source: "package.json",
    }))
}

fn well_known(reader: &Reader) -> anyhow::Result<Option<Found>> {
    for name in WELL_KNOWN {
        if reader
            .mode(Path::new(name))?
            .is_some_and(|mode| kind(mode) == Kind::File)
        {
            let start = Start {
                exec: vec!["node".to_owned(), name.to_owned()],
                env: Vec::new(),
            };
            return Ok(Some(Found { start, source: name }));
        }
    }
    Ok(None)
}

fn nothing_to_run(reader: &Reader) -> ExpectedError {
    let what = if reader.is_empty().unwrap_or(false) {
        "is empty"
    } else {
        "has no Procfile, package.json, index.js, server.js or app.js"
    };
    let error = ExpectedError::new(Exit::INVALID_CONFIG, format!("{} {what}", reader.path().display()));
    error.help("name the app's directory, or set what to run: --exec \"node main.js\"")
}
