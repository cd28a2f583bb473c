//! Which apps there are, and their files: what is wanted and what is in force.

use std::io::ErrorKind;
use std::path::PathBuf;

use appctl::host::files::{self, FileError};
use appctl::release::{AppPaths, Layout};
use appctl::spec::{self, AppName, AppSpec, Problem};

use crate::exit::{Exit, ExpectedError, InvalidFile};
use crate::names::Names;

/// One configuration file.
#[derive(Debug)]
pub(crate) struct File {
    /// Where.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// What it says.
    pub(crate) spec: Result<AppSpec, Vec<Problem>>,
}

/// An app with its files.
#[derive(Debug)]
pub(crate) struct App {
    /// Its name.
    pub(crate) name: AppName,
    /// `apps/NAME.toml`.
    pub(crate) wanted: Option<File>,
    /// `applied/NAME.toml`.
    pub(crate) applied: Option<File>,
    /// What `appctl env` keeps, for root's eyes only.
    pub(crate) env: Kept,
}

/// Texts of variables; `None` is no file, or one that we may not read.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// As wanted.
    pub(crate) wanted: Option<String>,
    /// As in force.
    pub(crate) applied: Option<String>,
}

impl Kept {
    fn load(paths: AppPaths<'_>) -> Result<Self, FileError> {
        let read = |path: PathBuf| match files::read_config_if_any(&path) {
            Err(FileError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => Ok(None),
            other => other,
        };
        Ok(Self {
            wanted: read(paths.env_file())?,
            applied: read(paths.applied_env_file())?,
        })
    }
}

impl App {
    /// Reads all files.
    pub(crate) fn load(paths: AppPaths<'_>) -> Result<Self, FileError> {
        let (name, env) = (paths.app(), Kept::load(paths)?);
        let wanted = File::load_if_any(name, paths.wanted_file())?;
        let applied = File::load_if_any(name, paths.applied_file())?;
        Ok(Self {
            name: name.clone(),
            wanted: wanted.map(|file| file.with_variables(env.wanted.as_deref())),
            applied: applied.map(|file| file.with_variables(env.applied.as_deref())),
            env,
        })
    }

    /// The same, as if its wanted file had this text.
    pub(crate) fn with_text(mut self, text: String) -> Self {
        let (name, kept) = (&self.name, self.env.wanted.as_deref());
        self.wanted = self
            .wanted
            .map(|file| File::of(name, file.path, text).with_variables(kept));
        self
    }

    /// What the units were made of: the applied file, else the wanted one.
    pub(crate) fn in_force(&self) -> Option<&AppSpec> {
        let file = self.applied.as_ref().or(self.wanted.as_ref())?;
        file.spec.as_ref().ok()
    }

    /// Whether the wanted file or variables say something that is not in force.
    pub(crate) fn is_pending(&self) -> bool {
        self.is_file_pending() || (self.applied.is_some() && self.env.wanted != self.env.applied)
    }

    /// Whether the wanted file does.
    pub(crate) fn is_file_pending(&self) -> bool {
        match (&self.wanted, &self.applied) {
            (Some(wanted), Some(applied)) => wanted.text != applied.text,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

impl File {
    /// Reads and checks one file.
    pub(crate) fn load(name: &AppName, path: PathBuf) -> Result<Self, FileError> {
        let text = files::read_config(&path)?;
        Ok(Self::of(name, path, text))
    }

    /// A text that is or will be at `path`.
    pub(crate) fn of(name: &AppName, path: PathBuf, text: String) -> Self {
        let spec = spec::parse(name, &text);
        Self { path, text, spec }
    }

    fn with_variables(mut self, kept: Option<&str>) -> Self {
        let more = kept.map(spec::variables::parse).unwrap_or_default();
        self.spec = self.spec.map(|spec| spec.with_variables(more));
        self
    }

    /// What is no readable text is a file with a problem: it must not keep an operator from seeing all the others.
    fn load_if_any(name: &AppName, path: PathBuf) -> Result<Option<Self>, FileError> {
        match files::read_config_if_any(&path) {
            Ok(text) => Ok(text.map(|text| Self::of(name, path, text))),
            Err(FileError::Io { ref source, .. }) if source.kind() == ErrorKind::PermissionDenied => {
                let message = format!("this account may not read {}", path.display());
                Ok(Some(Self::unreadable(path, message)))
            }
            Err(error @ FileError::Io { .. }) => Err(error),
            Err(error) => Ok(Some(Self::unreadable(path, error.to_string()))),
        }
    }

    fn unreadable(path: PathBuf, message: String) -> Self {
        let problem = Problem {
            span: 0..0,
            message,
            help: None,
        };
        let (text, spec) = (String::new(), Err(vec![problem]));
        Self { path, text, spec }
    }

    /// The settings, or the problems as an error.
    pub(crate) fn valid(self) -> Result<AppSpec, ExpectedError> {
        match self.spec {
            Ok(spec) => Ok(spec),
            Err(problems) => {
                let file = InvalidFile {
                    path: self.path,
                    text: self.text,
                    problems,
                };
                Err(ExpectedError::invalid(vec![file]))
            }
        }
    }
}

/// All installed apps, sorted.
pub(crate) fn installed(layout: &Layout) -> Result<Vec<AppName>, FileError> {
    let mut names = files::app_names(&layout.apps())?;
    names.extend(files::app_names(&layout.applied())?);
    names.sort();
    names.dedup();
    Ok(names)
}

/// The apps named, or all when none is; an error names those that are not installed, and those whose units are another's.
pub(crate) fn select(layout: &Layout, names: &[AppName]) -> anyhow::Result<Vec<AppName>> {
    let chosen = select_by_file(layout, names)?;
    let taken = Names::look(layout);
    if names.is_empty() {
        return Ok(taken.leave_out_taken(chosen));
    }
    chosen.iter().try_for_each(|app| taken.refuse(app))?;
    Ok(chosen)
}

/// The same, whatever units these names have.
pub(crate) fn select_by_file(layout: &Layout, names: &[AppName]) -> anyhow::Result<Vec<AppName>> {
    let installed = installed(layout)?;
    if names.is_empty() {
        return Ok(installed);
    }
    let mut chosen: Vec<AppName> = Vec::new();
    for name in names {
        if !installed.contains(name) {
            return Err(unknown(name, &installed).into());
        }
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    Ok(chosen)
}

/// The apps named; `all` is every app, unless one is called that.
pub(crate) fn named(layout: &Layout, names: &[AppName]) -> anyhow::Result<Vec<AppName>> {
    match names {
        [all] if all.as_str() == "all" && !installed(layout)?.contains(all) => select(layout, &[]),
        names => select(layout, names),
    }
}

/// What an app's units were made of. An error shows the problems of its file, or whose the units are.
pub(crate) fn in_force(paths: AppPaths<'_>) -> anyhow::Result<AppSpec> {
    let (layout, name) = (paths.layout(), paths.app());
    Names::look(layout).refuse(name)?;
    let app = App::load(paths)?;
    let Some(file) = app.applied.or(app.wanted) else {
        return Err(unknown(name, &installed(layout)?).into());
    };
    Ok(file.valid()?)
}

fn unknown(name: &AppName, installed: &[AppName]) -> ExpectedError {
    let error = ExpectedError::new(Exit::NOT_FOUND, format!("no app is called {name}"));
    let names: Vec<&str> = installed.iter().map(AppName::as_str).collect();
    error.help(match names.len() {
        0 => format!("no app is installed yet; in its directory, type: sudo appctl install {name}"),
        1..=10 => format!("installed: {}", names.join(", ")),
        many => format!("{many} apps are installed; appctl status lists them"),
    })
}
