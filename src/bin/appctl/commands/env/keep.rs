//! Keeps changed variables, and has instances take them up.

use appctl::host::files;
use appctl::spec::{AppName, variables};
use serde_json::json;

use super::{How, Variables};
use crate::apps::App;
use crate::commands::apply;
use crate::context::Context;
use crate::ending::unless_ended;
use crate::exit::{Exit, ExpectedError};
use crate::operation::UnderWay;
use crate::rolling::Hold;
use crate::session::Session;
use crate::ui;

/// What is to be kept, and what was.
pub(super) struct Edit {
    /// The verb, as the journal is told.
    pub(super) verb: &'static str,
    pub(super) before: Variables,
    pub(super) after: Variables,
}

/// From what was kept to what is to be. A rollout that fails leaves what was.
pub(super) async fn run(context: &Context, app: &App, edit: &Edit, how: How) -> anyhow::Result<Exit> {
    if !how.no_roll {
        refuse_pending(app)?;
    }
    if how.dry_run {
        report(context, &app.name, edit, true)?;
        return Ok(Exit::DONE);
    }
    let changes = edit.before != edit.after;
    match (changes, how.no_roll) {
        (false, true) => {}
        (false, false) => drop(Box::pin(apply::run(&apply::Args::of(&app.name), context)).await?),
        (true, true) => {
            let _hold = Hold::take(context, &app.name, edit.verb)?;
            let operation = UnderWay::new(context, &app.name, edit.verb);
            operation.carry_out(async { store(context, app, edit) }).await?;
        }
        (true, false) => {
            let systemd = context.systemd().await?;
            let session = Session::take(context, &systemd, &app.name, edit.verb)?;
            session.carry_out(roll(&session, app, edit)).await?;
        }
    }
    Ok(Exit::DONE)
}

async fn roll(session: &Session<'_>, app: &App, edit: &Edit) -> anyhow::Result<()> {
    store(session.context, app, edit)?;
    let rolled = unless_ended(apply::within(session)).await;
    if rolled.is_err() {
        restore(session.context, app)?;
    }
    rolled
}

/// A rollout would put these in force as well.
fn refuse_pending(app: &App) -> Result<(), ExpectedError> {
    if app.is_file_pending() {
        let name = &app.name;
        let message = format!("the file of {name} has changes that are not in force");
        let help = format!("first type: sudo appctl apply {name}; or add --no-roll");
        return Err(ExpectedError::new(Exit::INVALID_CONFIG, message).help(help));
    }
    Ok(())
}

/// Under the app's lock, and only over what was read before.
fn store(context: &Context, app: &App, edit: &Edit) -> anyhow::Result<()> {
    let path = context.layout.of(&app.name).env_file();
    if files::read_config_if_any(&path)? != app.env.wanted {
        let message = format!("another command changed the variables of {} meanwhile", app.name);
        return Err(ExpectedError::new(Exit::FAILED, message)
            .help("type the command again")
            .into());
    }
    let text = (!edit.after.is_empty()).then(|| variables::write(&edit.after));
    write(context, &app.name, text.as_deref())?;
    Ok(report(context, &app.name, edit, false)?)
}

/// What was wanted before is wanted again, unless a rollout that is still open put the new in force.
fn restore(context: &Context, app: &App) -> anyhow::Result<()> {
    let applied = files::read_config_if_any(&context.layout.of(&app.name).applied_env_file())?;
    if applied == app.env.applied {
        write(context, &app.name, app.env.wanted.as_deref())?;
    }
    Ok(())
}

fn write(context: &Context, app: &AppName, text: Option<&str>) -> anyhow::Result<()> {
    let path = context.layout.of(app).env_file();
    match text {
        Some(text) => files::write_private(&path, text)?,
        None => drop(files::remove(&path)?),
    }
    Ok(())
}

fn report(context: &Context, app: &AppName, edit: &Edit, dry_run: bool) -> std::io::Result<()> {
    let Edit { before, after, .. } = edit;
    let missing = |from: &Variables, name: &String| from.iter().all(|(known, _)| known != name);
    let set: Vec<&str> = after
        .iter()
        .filter(|one| !before.contains(one))
        .map(|(name, _)| name.as_str())
        .collect();
    let unset: Vec<&str> = before
        .iter()
        .map(|(name, _)| name)
        .filter(|name| missing(after, name))
        .map(String::as_str)
        .collect();
    if context.json {
        return ui::print_json(&json!({
            "app": app.as_str(), "event": "variables", "set": set, "unset": unset, "dry_run": dry_run,
        }));
    }
    let list = |word: &str, names: &[&str]| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    let parts: Vec<String> = [list("set", &set), list("unset", &unset)]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        return ui::print(format!("{app}: variables are unchanged"));
    }
    let what = if dry_run { "would change" } else { "changed" };
    ui::print(format!("{app}: {what} variables: {}", parts.join("; ")))
}
