//! `appctl show`: an app's paths, effective settings, units, and the commands to look further.

use std::path::{Path, PathBuf};

use appctl::release::AppPaths;
use appctl::spec::{self, Account, AppName, AppSpec, Sandbox, quote_words};
use appctl::unit::{self, UnitFile};
use serde_json::json;

use crate::apps::{self, App};
use crate::commands::apply;
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::ui::style::HEAD;
use crate::ui::{Text, paint};
use crate::{ui, units};

/// What `show` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  appctl show myapp
  appctl show myapp --units    the text of its units
  sudo appctl show myapp --reveal    with the values of its variables")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,

    /// Print the text of the app's units
    #[arg(long)]
    pub(crate) units: bool,

    /// Also print the values of variables, which may be secrets
    #[arg(long)]
    pub(crate) reveal: bool,
}

/// Where the generator puts units, and where operators put drop-ins.
const GENERATED: &str = "/run/systemd/generator";
const DROP_INS: [&str; 2] = ["/etc/systemd/system", "/run/systemd/system"];

/// Runs the verb.
#[expect(clippy::unused_async, reason = "every verb is called in the same way")]
pub(crate) async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let name = apps::select(&context.layout, std::slice::from_ref(&args.name))?.remove(0);
    let app = App::load(context.layout.of(&name))?;
    let pending = app.is_pending();
    let Some(file) = app.applied.filter(|file| file.spec.is_ok()).or(app.wanted) else {
        return Err(ExpectedError::new(Exit::NOT_FOUND, format!("{name} has no configuration file")).into());
    };
    let source = file.path.clone();
    let spec = file.valid()?;
    let host = unit::Host {
        source,
        ..apply::host([&spec])
    };
    let rendered = unit::render(&spec, &host);
    let shown = Shown {
        paths: context.layout.of(&name),
        spec: &spec,
        units: &rendered,
        drop_ins: &drop_ins(&rendered),
        pending,
        reveal: args.reveal,
    };
    if context.json {
        ui::print_json(&shown.as_json())?;
    } else if args.units {
        let variables = unit::environment(&spec).filter(|_| args.reveal);
        ui::print(units_text(&rendered, variables))?;
    } else {
        ui::print(shown.text())?;
    }
    Ok(Exit::DONE)
}

/// Files that operators put beside the units, in the order in which systemd lists them.
fn drop_ins(units: &[UnitFile]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for unit in units {
        for place in DROP_INS {
            let folder = Path::new(place).join(format!("{}.d", unit.name));
            let entries = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path()));
            found.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "conf")));
        }
    }
    found.sort();
    found
}

/// What is known of one app.
struct Shown<'a> {
    paths: AppPaths<'a>,
    spec: &'a AppSpec,
    units: &'a [UnitFile],
    drop_ins: &'a [PathBuf],
    /// Its file says something that is not in force.
    pending: bool,
    /// With the values of variables.
    reveal: bool,
}

/// Paths by what they are.
fn paths(paths: AppPaths<'_>) -> [(&'static str, PathBuf); 5] {
    [
        ("file", paths.wanted_file()),
        ("applied", paths.applied_file()),
        ("releases", paths.releases()),
        ("current", paths.current()),
        ("data", paths.data()),
    ]
}

/// Settings by name, as they are in force.
fn settings(spec: &AppSpec, reveal: bool) -> Vec<(&'static str, String)> {
    let listen: Vec<String> = spec.listen.iter().map(ToString::to_string).collect();
    let user = match &spec.account {
        Account::Dynamic => appctl::unit::account_name(&spec.name),
        Account::Named { user, group: None } => user.clone(),
        Account::Named {
            user,
            group: Some(group),
        } => format!("{user}, group {group}"),
    };
    let variable = |(name, value): &(String, String)| {
        if reveal {
            quote_words(&[format!("{name}={value}")])
        } else {
            name.clone()
        }
    };
    let env: Vec<String> = spec.env.iter().map(variable).collect();
    let mut settings = vec![
        ("exec", spec::quote_words(&spec.exec)),
        ("instances", units::count(spec).to_string()),
        ("user", user),
        ("listen", listen.join(" ")),
        ("env", env.join(" ")),
        ("adapter", format!("{:?}", spec.adapter).to_lowercase()),
        ("ready timeout", spec::format_span(spec.ready.timeout)),
        ("settle", spec::format_span(spec.ready.settle)),
        ("stop timeout", spec::format_span(spec.stop.timeout)),
        ("linger", spec::format_span(spec.stop.linger)),
        ("streams", format!("{:?}", spec.stop.streams).to_lowercase()),
        ("sandbox", sandbox(&spec.sandbox)),
    ];
    settings.extend(spec.limits.memory.map(|bytes| ("memory", spec::format_bytes(bytes))));
    settings.extend(
        spec.directory
            .as_ref()
            .map(|path| ("directory", path.display().to_string())),
    );
    settings.retain(|(_, value)| !value.is_empty());
    settings
}

/// A level and what is opened beyond it.
fn sandbox(sandbox: &Sandbox) -> String {
    let allowed = sandbox.allow.iter().map(|allowed| allowed.word().to_owned());
    let written = sandbox.write.iter().map(|path| path.display().to_string());
    let opened: Vec<String> = allowed.chain(written).collect();
    if opened.is_empty() {
        return sandbox.level.word().to_owned();
    }
    format!("{}, and {}", sandbox.level.word(), opened.join(", "))
}

fn commands(name: &AppName) -> [String; 4] {
    [
        format!("systemctl status {name} '{name}@*'"),
        format!("journalctl -u '{name}@*'"),
        format!("systemctl cat {name}@1"),
        format!("sudo systemctl edit {name}@"),
    ]
}

impl Shown<'_> {
    fn text(&self) -> Text {
        let spec = self.spec;
        let mut text = Text::default();
        let mut section = |title: &str, rows: Vec<(String, String)>| {
            if !rows.is_empty() {
                text += Text::default().line(paint(HEAD, title));
            }
            for (key, value) in rows {
                text += Text::default().line(format!("  {key:<14} {value}").trim_end());
            }
        };
        let own = |rows: Vec<(&str, String)>| rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        section(spec.name.as_str(), own(settings(spec, self.reveal)));
        let paths = paths(self.paths).map(|(key, path)| (key, path.display().to_string()));
        section("paths", own(paths.into()));
        let unnamed = |values: Vec<String>| values.into_iter().map(|value| (String::new(), value)).collect();
        let units = self.units.iter().map(|unit| format!("{GENERATED}/{}", unit.name));
        section("units", unnamed(units.collect()));
        let drop_ins = self.drop_ins.iter().map(|path| path.display().to_string());
        section("drop-ins", unnamed(drop_ins.collect()));
        section("see also", unnamed(commands(&spec.name).into()));
        if self.pending {
            text = text.line(format!(
                "its file has changes that are not in force; type: sudo appctl apply {}",
                spec.name
            ));
        }
        text
    }

    fn as_json(&self) -> serde_json::Value {
        let settings: serde_json::Map<_, _> = settings(self.spec, self.reveal)
            .into_iter()
            .map(|(key, value)| (key.replace(' ', "_"), value.into()))
            .collect();
        let paths: serde_json::Map<_, _> = paths(self.paths)
            .into_iter()
            .map(|(key, path)| (key.to_owned(), json!(path)))
            .collect();
        let units: Vec<_> = self
            .units
            .iter()
            .map(|unit| json!({"name": unit.name, "text": unit.to_string()}))
            .collect();
        json!({
            "app": self.spec.name.as_str(), "settings": settings, "paths": paths, "units": units, "drop_ins": self.drop_ins,
            "pending": self.pending,
        })
    }
}

/// As systemd reads them.
fn units_text(units: &[UnitFile], variables: Option<(String, String)>) -> Text {
    let mut text = Text::default();
    let units = units.iter().map(|unit| (unit.name.clone(), unit.to_string()));
    for (name, lines) in units.chain(variables) {
        text = if text.is_empty() { text } else { text.line("") };
        text = text.line(format!("# {name}")).lines(&lines);
    }
    text
}
