//! What `install` says: the plan of a dry run, and what it did.

use std::io;

use appctl::contract::ShimStatus;
use appctl::spec::{Account, quote_words};
use serde_json::json;

use super::perform::Done;
use super::plan::Plan;
use crate::context::Context;
use crate::ui::quantity::count;
use crate::ui::style::{GOOD, HINT, WARN};
use crate::ui::{Text, paint};
use crate::{listen, ui, units};

/// What would be done.
pub(super) fn plan(context: &Context, plan: &Plan) -> io::Result<()> {
    let name = &plan.spec.name;
    let file = context.layout.of(name).wanted_file();
    if context.json {
        return ui::print_json(&json!({
            "app": name.as_str(), "directory": plan.directory, "exec": plan.spec.exec, "file": file,
            "toml": plan.toml, "notes": plan.notes,
        }));
    }
    let (exec, from) = (quote_words(&plan.spec.exec), plan.directory.display());
    let source = match &plan.spec.directory {
        Some(_) => format!("  run    {from} in place"),
        None => format!("  copy   {from} to {}", context.layout.of(name).releases().display()),
    };
    let instances = count(units::count(&plan.spec).into(), "instance");
    let text = Text::default()
        .line(format!("would install {name}: {exec} (from {})", plan.source))
        .line(source)
        .line(format!("  write  {}", file.display()))
        .line(format!("  start  {instances} {}", account(plan)))
        .line("")
        .lines(plan.toml.trim_end());
    ui::print(text + notes(plan))
}

/// What was done.
pub(super) fn done(context: &Context, plan: &Plan, done: &Done) -> io::Result<()> {
    let name = &plan.spec.name;
    let pids: Vec<u32> = done
        .instances
        .iter()
        .filter_map(|state| app_pid(&state.status_text))
        .collect();
    if context.json {
        let listen: Vec<String> = plan.spec.listen.iter().map(ToString::to_string).collect();
        return ui::print_json(&json!({
            "app": name.as_str(), "result": "installed", "release": done.release, "listen": listen,
            "instances": done.instances.len(), "pids": pids, "account_made": done.account_made, "notes": plan.notes,
        }));
    }
    let instances = count(done.instances.len() as u64, "instance");
    let up = Text::from(format!("{name} is ")) + paint(GOOD, "up");
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let pids = match pids.as_slice() {
        [] => String::new(),
        pids => format!(" (pids {})", pids.join(", ")),
    };
    let mut text = up.line(format!(": {instances} {}{pids}", account(plan)));
    for listen in &plan.spec.listen {
        text = text.line(format!("  {}", listen::url(listen)));
    }
    text += notes(plan);
    for (command, what) in [
        ("status", "how it is doing"),
        ("logs -f", "what it prints"),
        ("show", "its files and units"),
    ] {
        let command = format!("{:<24}", next_command(command, name.as_str()));
        text = text.line(Text::from("  ") + paint(HINT, &command) + " " + what);
    }
    ui::print(text)
}

fn next_command(command: &str, name: &str) -> String {
    match command.split_once(' ') {
        Some((verb, option)) => format!("appctl {verb} {name} {option}"),
        None => format!("appctl {command} {name}"),
    }
}

fn account(plan: &Plan) -> String {
    match &plan.spec.account {
        Account::Named { user, .. } => format!("as {user}"),
        Account::Dynamic => "as an account of its own".to_owned(),
    }
}

fn app_pid(status: &str) -> Option<u32> {
    status.parse::<ShimStatus>().ok()?.pid
}

fn notes(plan: &Plan) -> Text {
    let note = |text: Text, note| text.line(paint(WARN, "note:") + " " + note);
    plan.notes.iter().fold(Text::default(), note)
}
