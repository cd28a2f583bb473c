//! What `apply` says: the diff of each app, and what becomes of it.

use std::io;

use appctl::spec::{AppName, AppSpec};
use serde_json::json;

use super::change::{Change, Kind};
use super::diff::Line;
use crate::context::Context;
use crate::ui::style::{BAD, GOOD, HEAD, WARN};
use crate::ui::{self, Text, paint};

/// What changes for one app; `None` is an app that is not in force yet.
pub(super) fn change(context: &Context, spec: &AppSpec, change: Option<&Change>, dry: bool) -> io::Result<()> {
    let kind = change.map(|change| change.kind);
    if context.json {
        let units: Vec<&str> = change
            .iter()
            .flat_map(|change| &change.diff)
            .map(|(unit, _)| unit.as_str())
            .collect();
        return ui::print_json(&json!({
            "app": spec.name.as_str(), "event": "change", "change": word(kind), "units": units, "dry_run": dry,
        }));
    }
    let mut text = Text::default().line(paint(HEAD, spec.name.as_str()) + ": " + sentence(kind));
    for (unit, lines) in change.iter().flat_map(|change| &change.diff) {
        text = text.line(format!("  {unit}"));
        for line in lines {
            let line = match line {
                Line::Removed(line) => paint(BAD, &format!("- {line}")),
                Line::Added(line) => paint(GOOD, &format!("+ {line}")),
            };
            text = text.line(Text::from("    ") + line);
        }
    }
    ui::print(text)
}

/// The app runs as its file says.
pub(super) fn applied(context: &Context, spec: &AppSpec) -> io::Result<()> {
    if context.json {
        return ui::print_json(&json!({"app": spec.name.as_str(), "event": "applied"}));
    }
    ui::print(format!("{}: applied", spec.name))
}

/// Apps whose file is gone.
pub(super) fn gone(context: &Context, names: &[AppName]) -> io::Result<()> {
    for name in names {
        if context.json {
            ui::print_json(&json!({"app": name.as_str(), "event": "file-gone"}))?;
        } else {
            let text = format!(
                " the file of {name} is gone, but the app is still installed; to remove it: sudo \
                appctl uninstall {name}"
            );
            ui::print(paint(WARN, "note:") + text)?;
        }
    }
    Ok(())
}

fn word(kind: Option<Kind>) -> &'static str {
    match kind {
        None => "new",
        Some(Kind::Nothing) => "nothing",
        Some(Kind::Text) => "text",
        Some(Kind::Reload) => "reload",
        Some(Kind::Scale) => "scale",
        Some(Kind::Roll) => "roll",
        Some(Kind::Rebind) => "rebind",
        Some(Kind::Finish) => "finish",
    }
}

fn sentence(kind: Option<Kind>) -> &'static str {
    match kind {
        None => "new, it is started",
        Some(Kind::Nothing) => "nothing to do",
        Some(Kind::Text) => "only comments or spelling changed",
        Some(Kind::Reload) => "units change, running instances are left alone",
        Some(Kind::Scale) => "the number of instances changes",
        Some(Kind::Roll) => "instances are replaced one after the other",
        Some(Kind::Rebind) => "the addresses change: the port closes for a moment, and all instances restart",
        Some(Kind::Finish) => "an interrupted change of its addresses left it down: it is started",
    }
}
