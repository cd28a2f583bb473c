//! `appctl check`: validates configuration files without touching anything.

use std::path::{Path, PathBuf};

use appctl::spec::{self, AppName, AppSpec, Conflict};
use serde_json::json;

use crate::apps::{self, App, File};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError, InvalidFile};
use crate::names::Names;
use crate::ui::paint;
use crate::ui::style::WARN;
use crate::{trust, ui, units};

/// What `check` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl check /etc/appctl/apps/myapp.toml
  appctl check deploy/*.toml

The app's name is the file's name without .toml. Addresses are compared with those of installed apps, and the \
name with the units of this machine.
Exit code 3 if there is any problem.")]
pub(crate) struct Args {
    /// Configuration files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Runs the verb.
#[expect(clippy::unused_async, reason = "every verb is called in the same way")]
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let taken = Names::look(&context.layout);
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for path in &args.files {
        let file = File::load(&name_of(path)?, path.clone()).map_err(|error| ExpectedError::unreadable(&error))?;
        match file.spec {
            Ok(spec) => {
                taken.refuse_new(&spec.name, Some(path))?;
                good.push((path, spec));
            }
            Err(problems) => bad.push(InvalidFile {
                path: file.path,
                text: file.text,
                problems,
            }),
        }
    }
    if !bad.is_empty() {
        return Err(ExpectedError::invalid(bad).into());
    }
    let specs: Vec<AppSpec> = good.iter().map(|(_, spec)| spec.clone()).collect();
    refuse_conflicts(&conflicts(context, &specs)?)?;
    trust::refuse(context, &specs, Exit::INVALID_CONFIG)?;
    print(context, &good)?;
    Ok(Exit::DONE)
}

fn name_of(path: &Path) -> Result<AppName, ExpectedError> {
    let stem = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = stem.strip_suffix(".toml").unwrap_or(stem);
    stem.parse().map_err(|error| {
        let message = format!("{} does not name an app: {error}", path.display());
        ExpectedError::new(Exit::INVALID_CONFIG, message).help("the file of an app is called NAME.toml")
    })
}

/// Addresses that one of `specs` and another app, installed or among them, both want.
pub(crate) fn conflicts(context: &Context, specs: &[AppSpec]) -> anyhow::Result<Vec<Conflict>> {
    let mut all = Vec::new();
    for name in apps::installed(&context.layout)? {
        if specs.iter().all(|spec| spec.name != name) {
            all.extend(App::load(context.layout.of(&name))?.in_force().cloned());
        }
    }
    all.extend_from_slice(specs);
    let all: Vec<(&AppName, &AppSpec)> = all.iter().map(|spec| (&spec.name, spec)).collect();
    let mut conflicts = spec::conflicts(&all);
    conflicts.retain(|conflict| {
        specs
            .iter()
            .any(|spec| spec.name == conflict.app || spec.name == conflict.other)
    });
    Ok(conflicts)
}

/// An error that names all conflicts.
pub(crate) fn refuse_conflicts(conflicts: &[Conflict]) -> Result<(), ExpectedError> {
    let Some(first) = conflicts.first() else { return Ok(()) };
    let message = conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let help = format!(
        "give {} another address: --listen, or listen = … in its file",
        first.app
    );
    Err(ExpectedError::new(Exit::INVALID_CONFIG, message).help(help))
}

fn print(context: &Context, good: &[(&PathBuf, AppSpec)]) -> std::io::Result<()> {
    let warning = |spec: &AppSpec| trust::secrets(&spec.name, &spec.env);
    if context.json {
        let files: Vec<_> = good
            .iter()
            .map(|(path, spec)| {
                let warnings: Vec<String> = warning(spec).into_iter().collect();
                json!({"file": path, "app": spec.name.as_str(), "warnings": warnings})
            })
            .collect();
        return ui::print_json(&json!({ "valid": files }));
    }
    for (path, spec) in good {
        ui::print(format!("{}: ok, {}", path.display(), summary(spec)))?;
        if let Some(warning) = warning(spec) {
            ui::print(paint(WARN, "warning:") + format!(" {}: {warning}", path.display()))?;
        }
    }
    Ok(())
}

fn summary(spec: &AppSpec) -> String {
    let instances = ui::quantity::count(units::count(spec).into(), "instance");
    let listen: Vec<String> = spec.listen.iter().map(ToString::to_string).collect();
    let place = if listen.is_empty() {
        "no port".to_owned()
    } else {
        format!("listens on {}", listen.join(" "))
    };
    format!("{instances} of {}, {place}", spec::quote_words(&spec.exec))
}
