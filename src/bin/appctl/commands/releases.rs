//! `appctl releases`: what is there to go back to.

use anstyle::Style;
use appctl::host::{bad, releases};
use appctl::release::{Origin, ReleaseId};
use appctl::spec::AppName;
use serde_json::{Value, json};

use super::deploy::releasable;
use crate::context::Context;
use crate::exit::Exit;
use crate::retention;
use crate::ui::style::{BAD, DIM, GOOD};
use crate::ui::{self, quantity, table};

/// What `releases` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A release is live, previous (what a plain rollback goes to), bad (it failed) or kept.")]
pub(crate) struct Args {
    /// Name of an app
    #[arg(value_name = "NAME")]
    pub(crate) name: AppName,
}

const HEADER: [&str; 7] = ["release", "state", "made", "by", "size", "commit", "source"];

/// One release.
struct Row {
    id: ReleaseId,
    state: &'static str,
    why: Option<String>,
    origin: Option<Origin>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    releasable(context, &args.name)?;
    let rows = rows(context, &args.name)?;
    if context.json {
        let releases: Vec<Value> = rows.iter().map(json).collect();
        ui::print_json(&json!({ "app": args.name.as_str(), "releases": releases }))?;
    } else if rows.is_empty() {
        ui::print(format!("{} has no release", args.name))?;
    } else {
        let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
        ui::print(table::render(&HEADER, &cells, &["size"], colour))?;
    }
    Ok(Exit::DONE)
}

/// Newest first.
fn rows(context: &Context, app: &AppName) -> anyhow::Result<Vec<Row>> {
    let stock = retention::stock(context, app)?;
    let previous = stock.back(1);
    let row = |id: &ReleaseId| {
        anyhow::Ok(Row {
            state: match () {
                () if stock.live.as_ref() == Some(id) => "live",
                () if stock.bad.contains(id) => "bad",
                () if previous == Some(id) => "previous",
                () => "kept",
            },
            why: bad::why(context.layout.of(app), id)?,
            origin: releases::origin(context.layout.of(app), id)?,
            id: id.clone(),
        })
    };
    stock.all.iter().rev().map(row).collect()
}

fn json(row: &Row) -> Value {
    json!({
        "release": row.id.to_string(),
        "state": row.state,
        "why": row.why,
        "origin": row.origin,
    })
}

fn cells(row: &Row) -> Vec<String> {
    let of = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let origin = row.origin.as_ref();
    let about = |get: fn(&Origin) -> String| of(origin.map(get));
    let commit = origin.and_then(|origin| origin.commit.as_ref()?.get(..7).map(str::to_owned));
    vec![
        row.id.to_string(),
        row.state.to_owned(),
        about(|origin| origin.when.clone()),
        about(|origin| origin.who.clone()),
        about(|origin| quantity::bytes(origin.bytes)),
        of(commit),
        about(|origin| origin.source.clone()),
    ]
}

fn colour(state: &str) -> Style {
    match state {
        "live" => GOOD,
        "bad" => BAD,
        _ => DIM,
    }
}
