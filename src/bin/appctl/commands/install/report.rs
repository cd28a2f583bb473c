//! What `install` says: the plan of a dry run, and what it did.

use std::fmt::Write as _;
use std::io;

use appctl::observe::ShimStatus;
use appctl::spec::{Account, quote_words};
use serde_json::json;

use super::perform::Done;
use super::plan::Plan;
use crate::context::Context;
use crate::ui::quantity::count;
use crate::ui::style::{GOOD, HINT, WARN, paint};
use crate::{listen, ui, units};

/// What would be done.
pub(super) fn plan(context: &Context, plan: &Plan) -> io::Result<()> {
    let name = &plan.spec.name;
    let file = context.layout.wanted_file(name);
    if context.json {
        return ui::print_json(&json!({
            "app": name.as_str(), "directory": plan.directory, "exec": plan.spec.exec, "file": file,
            "toml": plan.toml, "notes": plan.notes,
        }));
    }
    let mut text = format!(
        "would install {name}: {} (from {})\n",
        quote_words(&plan.spec.exec),
        plan.source
    );
    let from = plan.directory.display();
    _ = match &plan.spec.directory {
        Some(_) => writeln!(text, "  run    {from} in place"),
        None => writeln!(text, "  copy   {from} to {}", context.layout.releases(name).display()),
    };
    _ = writeln!(text, "  write  {}", file.display());
    _ = writeln!(
        text,
        "  start  {} {}",
        count(units::count(&plan.spec).into(), "instance"),
        account(plan)
    );
    _ = writeln!(text, "\n{}", plan.toml.trim_end());
    notes(&mut text, plan);
    ui::print(&text)
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
    let mut text = format!("{name} is {}: {instances} {}", paint(GOOD, "up"), account(plan));
    if !pids.is_empty() {
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        _ = write!(text, " (pids {})", pids.join(", "));
    }
    text.push('\n');
    for listen in &plan.spec.listen {
        _ = writeln!(text, "  {}", listen::url(listen));
    }
    notes(&mut text, plan);
    for (command, what) in [
        ("status", "how it is doing"),
        ("logs -f", "what it prints"),
        ("show", "its files and units"),
    ] {
        _ = writeln!(
            text,
            "  {} {what}",
            paint(HINT, &format!("{:<24}", next_command(command, name.as_str())))
        );
    }
    ui::print(&text)
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
        Account::Dynamic => "as a transient user".to_owned(),
    }
}

fn app_pid(status: &str) -> Option<u32> {
    status.parse::<ShimStatus>().ok()?.pid
}

fn notes(text: &mut String, plan: &Plan) {
    for note in &plan.notes {
        _ = writeln!(text, "{} {note}", paint(WARN, "note:"));
    }
}
